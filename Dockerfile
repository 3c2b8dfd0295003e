# docker build -t pgcascade .
# Another base, such as a mirror of the image: --build-arg BASE=registry.example/node:24-slim
ARG BASE=node:24-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npm run build

FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM ${BASE}
WORKDIR /app
COPY package.json ./
COPY config ./config
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist

# In a container loopback is of no use to others. Variables go over a configuration file.
ENV NODE_ENV=production \
    PGCASCADE_LISTEN=0.0.0.0:6432 \
    PGCASCADE_ADMIN_LISTEN=0.0.0.0:9932
EXPOSE 6432 9932

# As a number, so that Kubernetes can tell that it is not root.
USER 1000:1000

HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "const port = (process.env.PGCASCADE_ADMIN_LISTEN || ':9932').split(':').pop(); fetch('http://127.0.0.1:' + port + '/liveness').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# Node is process 1 and gets the signal itself: sessions are drained, the exit code is 143.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/cli.js"]
