import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createContext, type Context } from '../../src/context.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { createFeedWriter } from '../../src/feeds/writer.ts'
import { createLogger } from '../../src/log.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aConfig, testSecret } from '../support/config.ts'
import { aChannel, aFeedArticle, aFrame } from '../support/feed-articles.ts'

const secondsEach = 2
/** Each round begins with another server, so that what else the machine does falls on all of them. */
const rounds = 5
const publications = 12

/** Feeds: polls a second beside the least that Node, Express and nginx need, cost of a render, and time until a story is seen. */
export async function run(): Promise<void> {
  const folder = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off' } })
  const children: ChildProcess[] = []
  try {
    await migrate(postgres.url)
    await migrateQueue({ kind: 'postgres', url: postgres.url })
    console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
    await renderCost()
    const context = openContext(postgres.url)
    try {
      const files = await publishFeeds(context, folder)
      await polls({ databaseUrl: postgres.url, files, folder, children })
      await latency({ context, databaseUrl: postgres.url, children })
    } finally {
      await context.close()
    }
  } finally {
    for (const child of children) await stop(child)
    await stopPostgres(join(folder, 'data'), 'immediate')
    rmSync(folder, { recursive: true, force: true })
  }
}

const openContext = (databaseUrl: string): Context => {
  const config = aConfig(databaseUrl, { PUBLIC_URL: 'https://rivage.example' })
  return createContext(config, { log: createLogger('silent', 'cli') })
}

let seed = 1
/** The same words at every run, and hardly compressible. */
const word = (): string => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed.toString(36)
}
const story = (length: number): string => {
  const words: string[] = []
  for (let left = length; left > 0; left -= 7) words.push(word())
  return `<p>${words.join(' ')}</p>`
}

async function renderCost(): Promise<void> {
  const writer = createFeedWriter()
  const sources = Array.from({ length: 50 }, () => aFeedArticle({ html: story(10_000) })).map(
    (article) => ({ kind: 'article', article }) as const,
  )
  console.log('Render of 50 items of 10 kB, one of them new (ms, median of 9)')
  const times = new Map<string, number[]>()
  const measure = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    times.set(name, [...(times.get(name) ?? []), performance.now() - start])
    return result
  }
  for (let i = 0; i < 9; i++) {
    const fresh = { kind: 'article', article: aFeedArticle({ html: story(10_000) }) } as const
    const composed = await measure('sanitise', () =>
      writer.compose(aChannel(), [fresh, ...sources.slice(1)], aFrame),
    )
    for (const format of ['rss.xml', 'atom.xml', 'feed.json'] as const) {
      const written = await measure(`write ${format}`, () => composed.write(format).bytes(new Date()))
      if (format === 'rss.xml') await measure('gzip and brotli', () => writer.compress(written))
    }
  }
  for (const [name, values] of times) console.log(`  ${name.padEnd(18)} ${median(values).toFixed(1)}`)
  console.log()
}

/** Two sections whose RSS is about 25 and 60 kB as gzip. */
async function publishFeeds(context: Context, folder: string): Promise<Map<string, string>> {
  const { services, database } = context
  const sizes = { small: 640, large: 1_640 }
  for (const [section, length] of Object.entries(sizes)) {
    for (let i = 0; i < 50; i++) {
      await services.articles.put(`${section}-${i}`, {
        title: `Le phare ${section} ${i}`,
        html: story(length),
        summary: 'Le phare.',
        language: 'fr',
        sections: [section],
      })
    }
  }
  await renderAll(context)
  const files = new Map<string, string>()
  mkdirSync(join(folder, 'www'))
  for (const section of Object.keys(sizes)) {
    const path = `/sections/${section}/rss.xml`
    const found = await database.stores.feedDocuments.find(path)
    if (found?.kind !== 'feed') throw new Error(`${path} was not rendered`)
    writeFileSync(join(folder, 'www', section), found.feed.body)
    writeFileSync(join(folder, 'www', `${section}.gz`), found.feed.gzip)
    files.set(section, join(folder, 'www', `${section}.gz`))
    console.log(
      `${path}: ${kB(found.feed.body)} kB, gzip ${kB(found.feed.gzip)} kB, br ${kB(found.feed.br)} kB`,
    )
  }
  return files
}

const kB = (bytes: Buffer): string => (bytes.length / 1000).toFixed(1)

async function renderAll({ services }: Context): Promise<void> {
  while (await services.feeds.renderChanged()) await pause(200)
}

interface PollBench {
  databaseUrl: string
  files: Map<string, string>
  folder: string
  children: ChildProcess[]
}

async function polls({ databaseUrl, files, folder, children }: PollBench): Promise<void> {
  const bare = new URL('bare-server.ts', import.meta.url).pathname
  const ports = await Promise.all(['ours', 'node', 'express', 'spared', 'nginx'].map(() => findFreePort()))
  const [ours = 0, node = 0, express = 0, spared = 0, nginx = 0] = ports
  children.push(startWeb(databaseUrl, ours))
  for (const [kind, port] of [
    ['node', node],
    ['express', express],
    ['express-own-etag', spared],
  ] as const) {
    children.push(
      spawn(process.execPath, [bare, kind, String(port), ...files.values()], { stdio: 'inherit' }),
    )
  }
  children.push(startNginx(folder, nginx))
  const servers = {
    ours: { port: ours, path: (name: string) => `/sections/${name}/rss.xml` },
    'node:http': { port: node, path: (name: string) => `/${name}.gz` },
    'Express 5': { port: express, path: (name: string) => `/${name}.gz` },
    'own ETag': { port: spared, path: (name: string) => `/${name}.gz` },
    nginx: { port: nginx, path: (name: string) => `/${name}` },
  }
  const results = new Map<string, number[]>()
  for (const { port, path } of Object.values(servers))
    await answering(`http://127.0.0.1:${port}${path('small')}`)
  for (let round = 0; round < rounds; round++) {
    for (const name of files.keys()) {
      for (const [server, { port, path }] of rotated(Object.entries(servers), round)) {
        const url = `http://127.0.0.1:${port}${path(name)}`
        const etag = (await fetch(url, { headers: { 'accept-encoding': 'gzip' } })).headers.get('etag') ?? ''
        for (const [condition, headers] of [
          ['200', []],
          ['304', ['-H', `If-None-Match: ${etag}`]],
        ] as const) {
          const key = `${condition} ${name} ${server}`
          results.set(key, [...(results.get(key) ?? []), await wrk(url, headers)])
        }
      }
    }
  }
  for (const child of children.splice(0)) await stop(child)
  report(results, [...files.keys()], Object.keys(servers))
}

const rotated = <Item>(items: Item[], by: number): Item[] => [...items.slice(by), ...items.slice(0, by)]

function report(results: Map<string, number[]>, names: string[], servers: string[]): void {
  console.log(
    `\nPolls a second, wrk -t1 -c32, best of ${rounds} rounds of ${secondsEach} s; all but nginx send the same headers`,
  )
  console.log('Express 5 as it comes hashes each body for its ETag; "own ETag" spares it that.')
  console.log(['', ...servers, 'ours/node', 'ours/Express'].map((text) => text.padStart(13)).join(''))
  for (const condition of ['200', '304']) {
    for (const name of names) {
      const rates = servers.map((server) =>
        Math.max(...(results.get(`${condition} ${name} ${server}`) ?? [0])),
      )
      const [ours = 0, node = 1, express = 1] = rates
      const cells = [
        ...rates.map((rate) => rate.toFixed(0)),
        (ours / node).toFixed(2),
        (ours / express).toFixed(2),
      ]
      console.log([`${condition} ${name}`, ...cells].map((text) => text.padStart(13)).join(''))
    }
  }
}

/** From the answer to the editor until both of two web processes serve the story in every rendered feed that shows it. */
async function latency({
  context,
  databaseUrl,
  children,
}: {
  context: Context
  databaseUrl: string
  children: ChildProcess[]
}) {
  const ports = await Promise.all([findFreePort(), findFreePort()])
  const worker = spawn(process.execPath, ['workers/main.ts'], {
    env: environment(databaseUrl, { METRICS_PORT: '0' }),
    stdio: 'inherit',
  })
  children.push(...ports.map((port) => startWeb(databaseUrl, port)), worker)
  const paths = ['', '/fr', '/sections/live', '/fr/sections/live'].flatMap((folder) =>
    ['rss.xml', 'atom.xml', 'feed.json'].map((format) => `${folder}/${format}`),
  )
  const urls = ports.flatMap((port) => paths.map((path) => `http://127.0.0.1:${port}${path}`))
  const publish = (title: string) =>
    context.services.articles.put('live', { title, html: story(3_000), language: 'fr', sections: ['live'] })
  const etagOf = async (url: string) => {
    const response = await fetch(url, { method: 'HEAD' }).catch(() => undefined)
    return response?.status === 200 ? response.headers.get('etag') : undefined
  }
  const seen = async (before: Map<string, string>) => {
    let waiting = urls
    while (waiting.length > 0) {
      const checked = await Promise.all(
        waiting.map(async (url) => {
          const etag = await etagOf(url)
          if (!etag || etag === before.get(url)) return url
          before.set(url, etag)
          return undefined
        }),
      )
      waiting = checked.filter((url) => url !== undefined)
      await pause(5)
    }
  }
  const etags = new Map<string, string>()
  await publish('story 0')
  await seen(etags)
  const times: number[] = []
  for (let i = 1; i <= publications; i++) {
    await pause(2_100)
    await publish(`story ${i}`)
    const start = performance.now()
    await seen(etags)
    times.push(performance.now() - start)
  }
  const rounded = times.map((time) => Math.round(time))
  console.log(
    `\nPublish to visible, ${paths.length} feeds × 2 web processes, ms: median ${median(rounded)}, worst ${Math.max(...rounded)}`,
  )
}

const median = (values: number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

const environment = (databaseUrl: string, more: Record<string, string>): NodeJS.ProcessEnv => ({
  ...process.env,
  DATABASE_URL: databaseUrl,
  SECRET_KEY: testSecret,
  SMTP_URL: 'smtp://127.0.0.1:1',
  PUBLIC_URL: 'https://rivage.example',
  FEED_LIMIT: 'off',
  LOG_LEVEL: 'error',
  ...more,
})

const startWeb = (databaseUrl: string, port: number): ChildProcess =>
  spawn(process.execPath, ['src/server.ts'], {
    env: environment(databaseUrl, { PORT: String(port), METRICS_PORT: '0' }),
    stdio: 'inherit',
  })

function startNginx(folder: string, port: number): ChildProcess {
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log stderr crit; user root;
events { worker_connections 256; }
http { access_log off; keepalive_requests 1000000; client_body_temp_path ${folder}; proxy_temp_path ${folder};
  fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; root ${folder}/www; gzip_static on; default_type application/rss+xml; } }`,
  )
  return spawn('nginx', ['-c', file], { stdio: 'inherit' })
}

async function wrk(url: string, headers: readonly string[]): Promise<number> {
  const args = ['-t1', '-c32', `-d${secondsEach}s`, '-H', 'Accept-Encoding: gzip', ...headers, url]
  const { stdout } = await promisify(execFile)('wrk', args)
  if (/Socket errors/.test(stdout)) console.log(stdout)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0)
}

async function answering(url: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const response = await fetch(url).catch(() => undefined)
    await response?.arrayBuffer()
    if (response?.status === 200) return
    await pause(100)
  }
  throw new Error(`nothing answers at ${url}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(late)
}
