import type { Resolver } from 'node:dns/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { createApp } from '../../src/app.ts'
import { createContext, type Context } from '../../src/context.ts'
import type { Role } from '../../src/domain/editor.ts'
import { openFeedFront } from '../../src/http/feeds/open-feed-front.ts'
import { createLogger, type Logger } from '../../src/log.ts'
import type { Patience } from '../../src/store/database.ts'
import { aConfig } from './config.ts'
import { cloneDatabase } from './database.ts'

export interface Web {
  context: Context
  /** Origin of the running web process: what PUBLIC_URL says too. */
  origin: string
  /** fetch against the origin, redirects not followed. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>
  /** The same with a fresh key of this role and a JSON body. */
  api: (
    role: Role,
  ) => Promise<
    (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>
  >
}

interface WebOptions {
  env?: Record<string, string>
  now?: () => Date
  dns?: Resolver
  patience?: Partial<Patience>
  /** Answers for Amazon. */
  fetchForProvider?: (url: string) => Promise<{ body: Buffer }>
  /** False: as where the compiler of PDFs is not installed. */
  hasEditions?: boolean
  databaseUrl?: string
  /** As the web process does it: polls never reach Express. Without, they are answered inside it. */
  isFrontFirst?: boolean
  log?: Logger
  /** The database has a newsroom of its own, to be left as it is. */
  hasNewsroom?: boolean
}

/** The real app on a fresh database and a free port, with a publication; stopped when the test has finished. */
export async function aWeb(options: WebOptions = {}): Promise<Web> {
  const databaseUrl = options.databaseUrl ?? (await cloneDatabase())
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => {
    listener(request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const config = aConfig(databaseUrl, { PUBLIC_URL: origin, ...options.env })
  const context = createContext(config, {
    log: options.log ?? createLogger(config.logLevel, 'web'),
    maxConnections: 5,
    ...(options.now && { now: options.now }),
    ...(options.dns && { dns: options.dns }),
    ...(options.patience && { patience: options.patience }),
    ...(options.hasEditions !== undefined && { hasEditions: options.hasEditions }),
    ...(options.fetchForProvider && { fetchForProvider: options.fetchForProvider }),
  })
  const front = openFeedFront(context)
  const app = createApp(context, front)
  listener = (request, response) => {
    if (!options.isFrontFirst) app(request, response)
    else
      front(request, response, () => {
        app(request, response)
      })
  }
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await context.close()
  })
  if (!options.hasNewsroom) {
    await context.services.publication.set(
      { name: 'Le Rivage', languages: ['fr', 'ar'], postalAddress: '1, quai des Voiles, Port-Clair' },
      { kind: 'system', role: 'admin' },
    )
  }
  return withClients(context, origin)
}

function withClients(context: Context, origin: string): Web {
  const get: Web['fetch'] = (path, init) => fetch(origin + path, { redirect: 'manual', ...init })
  return {
    context,
    origin,
    fetch: get,
    async api(role) {
      const { key } = await context.services.keys.create({ name: role, role }, { kind: 'cli', role: 'admin' })
      return (method, path, body, headers = {}) =>
        get(`/api/v1${path}`, {
          method,
          headers: {
            authorization: `Bearer ${key}`,
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        })
    },
  }
}
