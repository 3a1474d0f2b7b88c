FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app

# The install scripts of production packages are not needed: none compiles anything the service relies on.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

COPY bin ./bin
COPY src ./src
COPY workers ./workers
COPY templates ./templates

# Volumes mounted here take over the owner.
RUN install -d -o node -g node -m 0700 /var/lib/depeche/mail /run/depeche
USER node
EXPOSE 3000 9464
CMD ["node", "src/server.ts"]
