# Two stages: build with everything, run with what is needed. Node 26 is the newest LTS line.
# --build-arg EMBEDDED=false leaves out chDB (half a gigabyte), for production where ClickHouse runs as a server.
FROM node:26-slim AS build
WORKDIR /weir
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
COPY workers ./workers
COPY rules ./rules
COPY mitre ./mitre
COPY bench ./bench
COPY test ./test
COPY schema ./schema
COPY examples ./examples
RUN npm run build
ARG EMBEDDED=true
RUN if [ "$EMBEDDED" = "true" ]; then npm prune --omit=dev --ignore-scripts; else npm prune --omit=dev --omit=optional --ignore-scripts; fi \
 && find dist -name '*.test.js*' -delete

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /weir
RUN mkdir /data && chown node:node /data
COPY --from=build /weir/package.json ./
COPY --from=build /weir/node_modules ./node_modules
COPY --from=build /weir/dist ./dist
COPY --from=build /weir/rules ./rules
COPY --from=build /weir/mitre ./mitre
COPY --from=build /weir/schema ./schema
COPY --from=build /weir/examples ./examples
USER node
VOLUME /data
ENTRYPOINT ["node", "/weir/dist/src/cli/weir.js"]
CMD ["--help"]
