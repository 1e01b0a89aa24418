# Countersign as an image: `docker build -t countersign .`, then `docker run countersign authz …`. It has the files of the image that
# `npm run release` makes, by the same recipe (scripts/release/image.ts), and can be built for another platform.
# It needs neither BuildKit nor, at run time, a shell.

# Node 24 on Debian. Of it the image has Node and the libraries of C and C++.
ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# A compiler for the health check, and what strips Node.
RUN { command -v cc && command -v strip; } || \
    { apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev; }
COPY package.json package-lock.json .npmrc ./
# Install scripts are not needed (that of protobufjs checks a version number).
RUN npm ci --ignore-scripts
COPY LICENSE README.md CHANGELOG.md SECURITY.md ./
COPY schema schema
COPY proto proto
COPY src src
COPY scripts scripts
COPY deploy deploy
# What the package says about its sources.
ARG SOURCE_COMMIT=unknown
ARG SOURCE_DATE_EPOCH=0
RUN node scripts/image-root.ts /image

FROM scratch AS runtime
LABEL org.opencontainers.image.title="Countersign" \
      org.opencontainers.image.description="Identity transformation for Envoy: proves the credential a caller brings and gives the upstream the one it wants" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    COUNTERSIGN_CONFIG=/etc/countersign/countersign.yaml \
    COUNTERSIGN_SIGNER_CONFIG=/etc/countersign/signer.yaml \
    COUNTERSIGN_HEALTH_ADDRESS=unix:/run/countersign/authz.sock
COPY --from=build /image /
# Sockets and persistent state: the only writable folders.
COPY --from=build --chown=10001:10001 /image/run/countersign /run/countersign
COPY --from=build --chown=10001:10001 /image/var/lib/countersign /var/lib/countersign
WORKDIR /
# A number, so that Kubernetes can verify that it is not root (runAsNonRoot).
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["/usr/lib/countersign/health-probe"]
ENTRYPOINT ["/usr/local/bin/node", "/usr/lib/countersign/bin/countersign.js"]
CMD ["authz"]

# The other programs of docker-compose.yml: set-up, upstream and tour. They are TypeScript of the clone.
FROM build AS demo-files
RUN npm prune --omit=dev --ignore-scripts
COPY demo/tour.ts demo/
# A clone made under umask 077 must not become an image that only root can read. A new volume takes over the
# owner of the folders that the services write to.
RUN chmod -R a+rX,go-w /app && \
    mkdir -p /owned/volumes/authz /owned/volumes/envoy /owned/volumes/signer /owned/volumes/upstream

FROM runtime AS demo
COPY --from=demo-files /app/package.json /app/
COPY --from=demo-files /app/node_modules /app/node_modules
COPY --from=demo-files /app/proto /app/proto
COPY --from=demo-files /app/src /app/src
COPY --from=demo-files /app/demo /app/demo
COPY --from=demo-files /app/deploy/compose /app/deploy/compose
COPY --from=demo-files --chown=10000:10000 /owned/volumes /var/lib/countersign
USER 10000:10000
HEALTHCHECK NONE
ENTRYPOINT ["node"]
CMD ["--version"]

# The default target of `docker build`.
FROM runtime
