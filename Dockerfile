# Builds and runs pkg: docker build -t pkg . && docker run --rm -v "$PWD:/work" pkg --help
#
# The digest is that of the index of all platforms, so it pins x64 and arm64 alike; the tag only says what it is.
ARG BASE=node:20.20.2-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/clean.mjs scripts/copy-kernels.mjs scripts/bundle.mjs scripts/tools.mjs scripts/
COPY src src
RUN npm run build && chmod +x dist/cli/bin.cjs && npm prune --omit=dev --no-audit --no-fund

FROM ${BASE}
LABEL org.opencontainers.image.title="pkg" \
      org.opencontainers.image.description="Datasets and models that anyone can rebuild, bit for bit." \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY templates templates
RUN ln -s /app/dist/cli/bin.cjs /usr/local/bin/pkg && mkdir /store /work && chown node:node /store /work
ENV NODE_ENV=production PKG_STORE=/store
USER node
VOLUME /store
WORKDIR /work
ENTRYPOINT ["pkg"]
