import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../src/embedded/ports.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { testSecret } from '../support/config.ts'
import { query } from '../support/sending-digest.ts'
import { percentile } from './digests.ts'
import { aDigestToSend, senderEnvironment } from './mail.ts'
import { watchProcesses } from './process-watch.ts'
import type { Arrival } from './signup-sink.ts'

/** A new site that mails 20,000 in an hour makes the others wait; the rest is for the second part. */
const mostSignups = 16_000
/** So many that none of them has 5,000 signups, which would wait as well. */
const domains = 1_000
/** Of the rate, while a digest is being sent. */
const shareBesideDigest = 0.1
/** Without any mail for so long, the rest is lost. */
const patienceMs = 30_000
const digestTimeoutMs = 30 * 60_000

interface Signup {
  address: string
  /** 0 where nothing was answered. */
  status: number
  /** From the moment it was due to the end of the answer. */
  tookMs: number
  answeredAt: number
}

interface Site {
  subscribeUrl: string
  /** When the sink accepted what it got for each address. */
  arrivals: Map<string, number[]>
  pids: Record<string, number>
}

/**
 * Signups at a web and a worker process that do nothing else, then at a tenth of the rate while the worker sends a
 * digest: `npm run bench -- signups [RATE] [SECONDS] [READERS]`. Each comes from an address of its own. Counts and the
 * queue are in PostgreSQL; in Redis where REDIS_URL names one, which must be empty.
 */
export async function run([rate = '200', seconds = '60', readers = '100000']: string[]): Promise<void> {
  const count = Number(rate) * Number(seconds)
  if (!(count > 0 && count <= mostSignups)) throw new Error(`RATE × SECONDS must be 1 to ${mostSignups}`)
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const children: ChildProcess[] = []
  const postgres = await startPostgres({ dataDir, settings: { shared_buffers: '256MB' } })
  try {
    const digestId = await seed(postgres.url, Number(readers))
    const site = await startSite(postgres.url, children)
    const measureAll = async () => {
      // The first mail of a worker waits until the templates are read.
      const first = await measure(site, 10, (n) => n < 10)
      console.log(`the first mails of a new worker, after the answer: ${first['answer to mail p99, ms']} ms`)
      const watch = watchProcesses(site.pids, dataDir)
      const alone = await measure(site, Number(rate), (n) => n < count)
      const { cpu } = watch.stop(count)
      const digest = await startDigest(postgres.url, digestId)
      const beside = await measure(site, Number(rate) * shareBesideDigest, digest.isSending)
      const rows = Object.keys(alone).map((row) => [
        row,
        { alone: alone[row], 'beside a digest': beside[row] },
      ])
      console.table(Object.fromEntries(rows))
      await reportDigest(postgres.url, digestId)
      const spent = Object.entries(cpu).map(([who, ms]) => `${who} ${ms.toFixed(1)}`)
      console.log(`CPU of a signup with its mail, ms: ${spent.join(', ')}`)
    }
    await Promise.race([measureAll(), ...children.map(failAtItsEnd)])
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await stopPostgres(dataDir, 'immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** @returns a digest that waits, paused */
async function seed(url: string, readers: number): Promise<number> {
  await migrate(url)
  await migrateQueue({ kind: 'postgres', url })
  const digestId = await aDigestToSend(url, readers)
  await query(url, `update digests set state = 'paused', resume_state = 'sending' where id = $1`, [digestId])
  return digestId
}

export async function startSite(
  databaseUrl: string,
  children: ChildProcess[],
  more: Record<string, string> = {},
): Promise<Site> {
  const start = async (script: string, env: Record<string, string>) => {
    const child = fork(new URL(script, import.meta.url), { env: { PATH: process.env['PATH'], ...env } })
    children.push(child)
    const [message] = (await Promise.race([once(child, 'message'), failAtItsEnd(child)])) as [unknown]
    return { child, message }
  }
  const sink = await start('./signup-sink.ts', {})
  const arrivals = new Map<string, number[]>()
  sink.child.on('message', ({ address, at }: Arrival) => {
    arrivals.set(address, [...(arrivals.get(address) ?? []), at])
  })
  const port = await findFreePort()
  const env = {
    ...senderEnvironment(Number(sink.message)),
    DATABASE_URL: databaseUrl,
    SECRET_KEY: testSecret,
    PUBLIC_URL: 'https://rivage.example',
    TRUST_PROXY: '127.0.0.1',
    PORT: String(port),
    METRICS_PORT: '0',
    ...(process.env['REDIS_URL'] && { REDIS_URL: process.env['REDIS_URL'] }),
    LOG_LEVEL: 'warn',
    ...more,
  }
  const web = await start('../../src/server.ts', env)
  const worker = await start('../../workers/main.ts', env)
  const pids = { web: web.child.pid ?? 0, worker: worker.child.pid ?? 0 }
  return { subscribeUrl: `http://127.0.0.1:${port}/subscribe`, arrivals, pids }
}

async function failAtItsEnd(child: ChildProcess): Promise<never> {
  await once(child, 'exit')
  throw new Error(`${child.spawnargs[1] ?? ''} ended`)
}

/** Signs people up on a fixed schedule, however late the answers are, and waits for their mails. */
async function measure(site: Site, rate: number, goesOn: (n: number) => boolean) {
  const begin = performance.now()
  const sent: Promise<Signup>[] = []
  for (let n = 0; goesOn(n); n++) {
    const due = begin + (n * 1000) / rate
    const early = due - performance.now()
    if (early > 0) await sleep(Math.ceil(early))
    const address = `signup-${made++}@domain-${made % domains}.example`
    sent.push(signUp(site.subscribeUrl, address, due))
  }
  const signups = await Promise.all(sent)
  await waitForMails(site, signups)
  return summarize(site, signups)
}

let made = 0
let clients = 0

/** @param due when it should have been sent, by `performance.now()` */
export async function signUp(url: string, address: string, due: number): Promise<Signup> {
  const n = clients++
  const headers = {
    'content-type': 'application/json',
    'x-forwarded-for': `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
  }
  const body = JSON.stringify({ email: address, newsletters: ['le-matin'] })
  const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined)
  await response?.arrayBuffer()
  const status = response?.status ?? 0
  return { address, status, tookMs: performance.now() - due, answeredAt: Date.now() }
}

const isPromised = ({ status }: Signup): boolean => status >= 200 && status < 300

async function waitForMails({ arrivals }: Site, signups: Signup[]): Promise<void> {
  let [seen, seenAt] = [arrivals.size, performance.now()]
  while (signups.some((one) => isPromised(one) && !arrivals.has(one.address))) {
    if (arrivals.size > seen) [seen, seenAt] = [arrivals.size, performance.now()]
    else if (performance.now() - seenAt > patienceMs) return
    await sleep(100)
  }
}

function summarize({ arrivals }: Site, signups: Signup[]): Record<string, number> {
  const promised = signups.filter(isPromised)
  const mailed = promised.flatMap(({ address, tookMs, answeredAt }) => {
    const [at] = arrivals.get(address) ?? []
    return at === undefined ? [] : [{ tookMs, afterAnswer: at - answeredAt }]
  })
  const answers = promised.map(({ tookMs }) => tookMs)
  const afterAnswer = mailed.map((mail) => mail.afterAnswer)
  const afterSignup = mailed.map((mail) => mail.afterAnswer + mail.tookMs)
  return {
    signups: signups.length,
    'answered 2xx': promised.length,
    'mails arrived': signups.flatMap(({ address }) => arrivals.get(address) ?? []).length,
    'lost: 2xx without a mail': promised.length - mailed.length,
    'answer p50, ms': Number(percentile(answers, 0.5)),
    'answer p99, ms': Number(percentile(answers, 0.99)),
    'answer max, ms': Number(percentile(answers, 1)),
    'answer to mail p50, ms': Number(percentile(afterAnswer, 0.5)),
    'answer to mail p99, ms': Number(percentile(afterAnswer, 0.99)),
    'signup to mail p50, ms': Number(percentile(afterSignup, 0.5)),
    'signup to mail p99, ms': Number(percentile(afterSignup, 0.99)),
  }
}

/** Resolves with the first mail of the digest. */
async function startDigest(url: string, digestId: number) {
  const deadline = performance.now() + digestTimeoutMs
  const some = async (statement: string) => {
    while ((await query(url, statement, [digestId])).length === 0) {
      if (performance.now() > deadline) throw new Error('the digest does not end')
      await sleep(500)
    }
  }
  await query(url, `update digests set state = 'sending', resume_state = null where id = $1`, [digestId])
  await some(`select from deliveries where digest_id = $1 and state = 'accepted' limit 1`)
  let isSending = true
  const end = () => {
    isSending = false
  }
  void some(`select from digests where id = $1 and state <> 'sending'`).then(end, end)
  return { isSending: () => isSending }
}

async function reportDigest(url: string, digestId: number): Promise<void> {
  const [row] = await query<{ accepted: string; readers: string; seconds: string }>(
    url,
    `select count(*) filter (where state = 'accepted') as accepted, count(*) as readers,
       extract(epoch from max(accepted_at) - min(accepted_at)) as seconds
     from deliveries where digest_id = $1`,
    [digestId],
  )
  const { accepted = '0', readers = '0', seconds = '0' } = row ?? {}
  const perSecond = Math.round(Number(accepted) / Number(seconds))
  console.log(`the digest: ${accepted} of ${readers} accepted, ${perSecond} a second`)
}
