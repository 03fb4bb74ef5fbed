# Builds and runs pkg: docker build -t pkg . && docker run --rm -v "$PWD:/work" pkg --help
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/clean.mjs scripts/
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY templates templates
ENV PKG_STORE=/store
RUN mkdir /store /work && chown node:node /store /work
USER node
VOLUME /store
WORKDIR /work
ENTRYPOINT ["node", "/app/dist/cli/bin.cjs"]
