# Countersign as an image: `docker build -t countersign .`, then `docker run countersign authz …`.
# Node runs the TypeScript of src/ as it is, so nothing is compiled and no devDependency is needed.
# It needs neither BuildKit nor, at run time, a shell.

ARG NODE_IMAGE=node:24-trixie-slim
# It needs Node ≥ 24.12, with `node` on its path, and glibc.
ARG RUNTIME_IMAGE=${NODE_IMAGE}

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts are not needed (that of protobufjs checks a version number).
RUN npm ci --omit=dev --ignore-scripts && rm -r package-lock.json .npmrc node_modules/.package-lock.json
COPY proto proto
COPY src src
# A clone made under umask 077 must not become an image that only root can read. A new volume takes over the
# owner of the folders that the service writes to.
RUN chmod -R a+rX,go-w /app && mkdir -p /owned/etc /owned/run /owned/var /owned/lib/bin && \
    ln -s /app/src/countersign.ts /owned/lib/bin/countersign.js

FROM ${RUNTIME_IMAGE} AS runtime
LABEL org.opencontainers.image.title="Countersign" \
      org.opencontainers.image.description="Identity transformation for Envoy" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    COUNTERSIGN_CONFIG=/etc/countersign/countersign.yaml \
    COUNTERSIGN_SIGNER_CONFIG=/etc/countersign/signer.yaml \
    COUNTERSIGN_HEALTH_ADDRESS=unix:/run/countersign/authz.sock
COPY --from=build /app /app
# Where the image of a release has the program, too: probes of Kubernetes name it.
COPY --from=build /owned/lib /usr/lib/countersign
COPY --from=build /owned/etc /etc/countersign
# Sockets and persistent state: the only writable folders.
COPY --from=build --chown=10001:10001 /owned/run /run/countersign
COPY --from=build --chown=10001:10001 /owned/var /var/lib/countersign
WORKDIR /
# A number, so that Kubernetes can verify that it is not root (runAsNonRoot).
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["node", "/app/src/countersign.ts", "health"]
ENTRYPOINT ["node", "/app/src/countersign.ts"]
CMD ["authz"]

# The other programs of docker-compose.yml: set-up, upstream and tour.
FROM build AS demo-files
COPY demo/tour.ts demo/
COPY deploy/compose deploy/compose
RUN chmod -R a+rX,go-w /app/demo /app/deploy && \
    mkdir -p /owned/volumes/authz /owned/volumes/envoy /owned/volumes/signer /owned/volumes/upstream

FROM runtime AS demo
COPY --from=demo-files /app/demo /app/demo
COPY --from=demo-files /app/deploy /app/deploy
COPY --from=demo-files --chown=10000:10000 /owned/volumes /var/lib/countersign
USER 10000:10000
HEALTHCHECK NONE
ENTRYPOINT ["node"]
CMD ["--version"]

# The default target of `docker build`.
FROM runtime
