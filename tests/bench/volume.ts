import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../src/embedded/ports.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { testSecret } from '../support/config.ts'
import { query } from '../support/sending-digest.ts'
import { senderEnvironment } from './mail.ts'
import { makeVolume, type Volume } from './volume-data.ts'
import { listPages, signIn, targets, type Clients, type Page, type Site } from './volume-pages.ts'

const samples = 5
/** What is due today would be old tomorrow: the data are made again. */
const freshMs = 20 * 3_600_000
const patienceMs = 5 * 60_000
const mostRead = 'lettre-1'

interface Timing {
  median: number
  max: number
  status: number
}

/**
 * How long each page and call takes where there is much of everything, while nothing else happens and while a digest goes
 * out: `npm run bench -- volume [SUBSCRIBERS] [DELIVERIES] [ARTICLES] [FOLDER]`. The data stay in the folder, and are used
 * again on the same day; what a run changes goes with it.
 */
export async function run([subscribers = '1000000', deliveries, articles, folder]: string[]): Promise<void> {
  const volume = {
    subscribers: Number(subscribers),
    deliveries: Number(deliveries ?? 3 * Number(subscribers)),
    articles: Number(articles ?? Number(subscribers) / 10),
  }
  const dataDir = folder ?? `/var/tmp/depeche-volume-${Object.values(volume).join('-')}`
  await prepare(dataDir, volume)
  const children: ChildProcess[] = []
  const postgres = await startPostgres({ dataDir, settings: { shared_buffers: '512MB' } })
  try {
    const url = await copyOf(postgres.url)
    const site = await startSite(url, children)
    await measureAll(site)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await stopPostgres(dataDir)
  }
}

/** With everything that makes a database safe switched off, but for the last moment. */
async function prepare(dataDir: string, volume: Volume): Promise<void> {
  const made = join(dataDir, 'made')
  if (existsSync(made) && Date.now() - statSync(made).mtimeMs < freshMs) return
  await stopPostgres(dataDir).catch(() => undefined)
  rmSync(dataDir, { recursive: true, force: true })
  const settings = {
    ...{ fsync: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: '0' },
    ...{ autovacuum: 'off', max_wal_size: '8GB', shared_buffers: '512MB' },
  }
  const { url } = await startPostgres({ dataDir, settings })
  try {
    await migrate(url)
    await migrateQueue({ kind: 'postgres', url })
    const startedAt = performance.now()
    await makeVolume(url, volume)
    console.log(`the data were made in ${Math.round((performance.now() - startedAt) / 1000)} s`)
  } finally {
    await stopPostgres(dataDir)
  }
  writeFileSync(made, '')
}

/** What the run works on, so that the next finds the same. */
async function copyOf(url: string): Promise<string> {
  const [copy, maintenance] = [new URL(url), new URL(url)]
  copy.pathname = '/depeche_run'
  maintenance.pathname = '/postgres'
  await query(maintenance.href, 'drop database if exists depeche_run with (force)')
  await query(maintenance.href, 'create database depeche_run template depeche strategy file_copy')
  // Made by an earlier state of the program, perhaps.
  await migrate(copy.href)
  // Nothing of it goes out by itself meanwhile.
  await query(
    copy.href,
    `update newsletter_cadences set local_time = (now() at time zone zone + interval '12 hours')::time`,
  )
  return copy.href
}

/** The processes of production, beside a sink that takes every mail. */
async function startSite(databaseUrl: string, children: ChildProcess[]): Promise<Site> {
  const start = async (script: string, env: Record<string, string>) => {
    const child = fork(new URL(script, import.meta.url), { env: { PATH: process.env['PATH'], ...env } })
    children.push(child)
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${script} ended`)))
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    ended.catch(() => undefined)
    return message
  }
  const sinkPort = Number(await start('./signup-sink.ts', {}))
  const [port, webMetrics, workerMetrics] = [await findFreePort(), await findFreePort(), await findFreePort()]
  const origin = `http://localhost:${port}`
  const env = {
    ...senderEnvironment(sinkPort),
    ...{ DATABASE_URL: databaseUrl, SECRET_KEY: testSecret, LOG_LEVEL: 'warn' },
    ...{ PUBLIC_URL: origin, PORT: String(port), FEED_LIMIT: 'off' },
  }
  await start('../../src/server.ts', { ...env, METRICS_PORT: String(webMetrics) })
  await start('../../workers/main.ts', { ...env, METRICS_PORT: String(workerMetrics) })
  return { origin, databaseUrl, metrics: [webMetrics, workerMetrics] }
}

async function measureAll(site: Site): Promise<void> {
  const { databaseUrl: url } = site
  const clients = await signIn(site)
  await until('all feeds are rendered', url, 'select from feed_documents having bool_and(dirty_at is null)')
  const { id } = await compose(clients)
  const pages = [...(await listPages(site, clients, id)), ...listActs(clients)]
  const idle = await measurePages(pages)
  const sent = await send(clients, id)
  const accepted = `from deliveries where digest_id = ${id} and state = 'accepted'`
  await until('the digest is being sent', url, `select ${accepted} limit 1`)
  const sending = await measurePages(pages)
  const [progress] = await query<{ text: string }>(
    url,
    `select (select count(*) ${accepted}) || ' of ' || audience as text from digests where id = ${id}`,
  )
  const cancelled = await measure({ read: () => clients.api('POST', `/digests/${id}/cancel`, {}) })
  console.table([
    ...pages.map((page) => toRow(page, idle.get(page), sending.get(page))),
    toRow({ kind: 'api', name: 'POST /digests/{id}/send' }, sent),
    // In small it has ended before.
    ...(cancelled.status === 409
      ? []
      : [toRow({ kind: 'api', name: 'POST /digests/{id}/cancel' }, undefined, cancelled)]),
  ])
  console.log(
    `${progress?.text} mails of the digest were accepted until then; milliseconds, ${samples} answers each`,
  )
}

interface Digest {
  id: number
  version: number
}

async function compose({ api }: Clients): Promise<Digest> {
  const composed = await api('POST', `/newsletters/${mostRead}/digests`, { cadence: 'daily' })
  if (composed.status !== 201) throw new Error(`no digest was composed: ${await composed.text()}`)
  return (await composed.json()) as Digest
}

/** As an editor would: again where the digest has changed since it was looked at. */
async function send({ api }: Clients, id: number): Promise<Timing> {
  for (;;) {
    const { version } = (await (await api('GET', `/digests/${id}`)).json()) as Digest
    const headers = { 'if-match': `"${version}"`, 'idempotency-key': `volume-${id}` }
    const read = () => api('POST', `/digests/${id}/send`, { spread: false }, headers)
    const sent = await measure({ read })
    if (sent.status === 202) return sent
    if (sent.status !== 412) throw new Error(`the digest was not sent: ${sent.status}`)
  }
}

/** What people wait for, and what comes of it at once. */
function listActs({ api }: Clients): Page[] {
  let n = 0
  const article = () => ({
    title: `Une nouvelle du port, ${n}`,
    html: '<p>Court.</p>',
    language: 'fr',
    sections: ['section-1'],
  })
  return [
    {
      kind: 'api',
      name: 'PUT /articles/{externalId}',
      read: () => api('PUT', `/articles/volume-new-${n++}`, article()),
    },
    {
      kind: 'api',
      name: 'POST /newsletters/{slug}/digests',
      read: () => api('POST', `/newsletters/${mostRead}/digests`, { cadence: 'daily' }),
      undo: (digest) => api('POST', `/digests/${(digest as Digest).id}/cancel`, {}),
    },
  ]
}

async function measurePages(pages: Page[]): Promise<Map<Page, Timing>> {
  const timings = new Map<Page, Timing>()
  for (const page of pages) {
    // The first of a process reads templates, and finds no page in any cache.
    await measure(page)
    const answers: Timing[] = []
    for (let n = 0; n < samples; n++) answers.push(await measure(page))
    const times = answers.map(({ max }) => max).sort((one, other) => one - other)
    timings.set(page, {
      median: times[samples >> 1] ?? 0,
      max: Math.max(...times),
      status: Math.max(...answers.map(({ status }) => status)),
    })
  }
  return timings
}

/** From the request to the last byte. */
async function measure({ read, undo }: Pick<Page, 'read' | 'undo'>): Promise<Timing> {
  const startedAt = performance.now()
  const response = await read()
  const body = await response.text()
  const ms = performance.now() - startedAt
  if (undo && response.ok) await undo(JSON.parse(body))
  return { median: ms, max: ms, status: response.status }
}

function toRow({ kind, name }: Pick<Page, 'kind' | 'name'>, idle?: Timing, sending?: Timing) {
  const times = [idle, sending]
  const faults = times.flatMap((time) =>
    time && time.status >= 400 && time.status !== 410 ? [time.status] : [],
  )
  const isSlow = times.some((time) => time && time.median > targets[kind])
  return {
    page: name,
    ...{ idle: round(idle?.median), 'idle, max': round(idle?.max) },
    ...{ sending: round(sending?.median), 'sending, max': round(sending?.max) },
    target: targets[kind],
    missed: [...new Set(faults.map((status) => `answered ${status}`)), ...(isSlow ? ['slow'] : [])].join(
      ', ',
    ),
  }
}

const round = (ms: number | undefined) => (ms === undefined ? '' : Math.round(ms * 10) / 10)

async function until(what: string, url: string, statement: string): Promise<void> {
  const deadline = performance.now() + patienceMs
  while ((await query(url, statement)).length === 0) {
    if (performance.now() > deadline) throw new Error(`not within five minutes: ${what}`)
    await sleep(250)
  }
}
