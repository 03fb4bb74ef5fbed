# Reproduces <REFERENCE>: the build ends well only if the same top hash comes out of it.
#
#   <COMMAND>
#
# It takes Docker 23 or newer, or buildah. The context, <PKG>, is a checkout of pkg itself, or the address of
# its repository followed by #<commit>; nothing else of this machine is used.
<NOTES>
ARG BASE=<BASE>

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/clean.mjs scripts/copy-kernels.mjs scripts/bundle.mjs scripts/tools.mjs scripts/
COPY src src
RUN npm run build && chmod +x dist/cli/bin.cjs && npm prune --omit=dev --no-audit --no-fund

FROM ${BASE}
ARG NODE_VERSION=<NODE>
RUN [ "$(node --version)" = "v${NODE_VERSION}" ] \
 || npm install --global --prefix /opt/node --no-audit --no-fund "node@${NODE_VERSION}"
ENV PATH=/opt/node/bin:$PATH
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY templates templates
RUN ln -s /app/dist/cli/bin.cjs /usr/local/bin/pkg && mkdir /store /work && chown node:node /store /work
ENV NODE_ENV=production PKG_STORE=/store
USER node
WORKDIR /work
RUN <RUN>
