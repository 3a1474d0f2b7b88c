import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport as createNodemailer } from 'nodemailer'
import { pino } from 'pino'
import { createContext } from '../../src/context.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { startPostgres } from '../../src/embedded/postgres.ts'
import { createSigner } from '../../src/mail/sign.ts'
import { migrateQueue } from '../../src/queue/connection.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aConfig } from '../support/config.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aRecipient, dkimKeys } from '../support/mail.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'

const connections = 20
const ticksPerSecond = 100

interface Result {
  name: string
  perSecond: number
  /** Milliseconds of CPU per message, by who spent them. */
  cpu: Record<string, number>
  rssMb: number
}

/** Our sending beside the naive way and beside Postfix's own client, each into a sink of its own. */
export async function run([readers = '20000']: string[]): Promise<void> {
  const n = Number(readers)
  const results = [await runOurs(n), await runNaive(Math.ceil(n / 10)), await runSmtpSource(n)]
  const signMs = await measureSigning()
  const [ours, naive, source] = results
  console.table(
    results.map(({ name, perSecond, cpu, rssMb }) => ({
      name,
      'messages/s': Math.round(perSecond),
      ...Object.fromEntries(Object.entries(cpu).map(([who, ms]) => [`${who} ms`, Number(ms.toFixed(2))])),
      'RSS MB': Math.round(rssMb),
    })),
  )
  console.log(`of which the RSA-2048 signature: ${signMs.toFixed(2)} ms`)
  if (ours && naive && source) {
    console.log(`ours / naive: ${(ours.perSecond / naive.perSecond).toFixed(1)}`)
    console.log(`ours / smtp-source: ${(ours.perSecond / source.perSecond).toFixed(2)}`)
  }
}

const keys = () => {
  const { domain, selector, privateKey } = dkimKeys()
  return { domain, selector, privateKey }
}

async function runOurs(n: number): Promise<Result> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir, settings: { shared_buffers: '256MB' } })
  const sink = await startSink()
  const { domain, selector, privateKey } = keys()
  await migrate(postgres.url)
  await migrateQueue({ kind: 'postgres', url: postgres.url })
  const { digestId } = await aSendingDigest(postgres.url, { readers: n })
  await query(postgres.url, 'update digests set frozen = $1 where id = $2', [
    JSON.stringify({ ...aFrozenDigest(), digestId }),
    digestId,
  ])
  await query(postgres.url, `update variants set article_ids = '{1,2,3,4}'`)
  await query(postgres.url, 'vacuum analyze')
  const config = aConfig(postgres.url, {
    SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
    SMTP_CONNECTIONS: String(connections),
    MAIL_FROM: `lettres@${domain}`,
    BOUNCE_DOMAIN: `bounces.${domain}`,
    DKIM_DOMAIN: domain,
    DKIM_SELECTOR: selector,
    DKIM_PRIVATE_KEY: privateKey,
  })
  const context = createContext(config, { log: pino({ level: 'warn' }) })
  await context.services.presence.beat()
  const watch = watchCpu({ sender: [process.pid], sink: [sink.child.pid ?? 0] }, dataDir)
  const extending = setInterval(() => void context.services.sending.extend(), 5_000)
  await context.services.sending.deliverDigest(digestId)
  clearInterval(extending)
  const result = watch.stop('ours', n)
  const [row] = await query<{ n: string }>(
    postgres.url,
    `select count(*) n from deliveries where state = 'accepted'`,
  )
  if (Number(row?.n) !== n) throw new Error(`only ${row?.n} of ${n} were accepted`)
  await context.close()
  await sink.stop()
  await postgres.stop('immediate')
  rmSync(dataDir, { recursive: true, force: true })
  return result
}

async function runNaive(n: number): Promise<Result> {
  const sink = await startSink()
  const mail = aMail()
  const { subject, html, text } = mail.previewVariant(await mail.composeDigest(aFrozenDigest()))
  const { domain, selector, privateKey } = keys()
  const transport = createNodemailer({
    host: '127.0.0.1',
    port: sink.port,
    pool: true,
    maxConnections: connections,
    ignoreTLS: true,
    dkim: { domainName: domain, keySelector: selector, privateKey },
  })
  const watch = watchCpu({ sender: [process.pid], sink: [sink.child.pid ?? 0] })
  await Promise.all(
    Array.from({ length: n }, (_, index) =>
      transport.sendMail({
        from: `lettres@${domain}`,
        to: `reader-${index}@reader.example`,
        subject,
        html,
        text,
      }),
    ),
  )
  const result = watch.stop('naive nodemailer', n)
  transport.close()
  await sink.stop()
  return result
}

async function runSmtpSource(n: number): Promise<Result> {
  const sink = await startSink()
  const watch = watchCpu({ sink: [sink.child.pid ?? 0] })
  const args = ['-s', String(connections), '-m', String(n), '-l', '45000', '-f', 'a@news.example.org']
  const source = spawn('smtp-source', [...args, '-t', 'b@reader.example', `127.0.0.1:${sink.port}`])
  await new Promise((resolve) => source.once('exit', resolve))
  const result = watch.stop('smtp-source', n)
  await sink.stop()
  return result
}

async function measureSigning(): Promise<number> {
  const mail = aMail()
  const message = mail.personalise(
    mail.assembleVariant(await mail.composeDigest(aFrozenDigest())),
    aRecipient(),
  )
  const signer = createSigner(keys())
  const before = process.cpuUsage()
  for (let i = 0; i < 500; i++) await signer.sign(message)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / 500
}

async function startSink(): Promise<{ port: number; child: ChildProcess; stop(): Promise<void> }> {
  const port = await findFreePort()
  const asRoot = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn('smtp-sink', [...asRoot, `127.0.0.1:${port}`, '256'])
  for (let tries = 0; tries < 100 && !(await answers(port)); tries++) await sleep(50)
  return {
    port,
    child,
    async stop() {
      child.kill()
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => {
      resolve(false)
    })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })

/** CPU of processes, and of all PostgreSQL backends below `dataDir`, from now until it is stopped. */
function watchCpu(pids: Record<string, number[]>, dataDir?: string) {
  const startedAt = performance.now()
  const read = () => ({
    ...Object.fromEntries(Object.entries(pids).map(([who, list]) => [who, sumTicks(list)])),
    ...(dataDir !== undefined && { database: sumTicks(postgresPids(dataDir)) }),
  })
  const before = read()
  return {
    stop(name: string, n: number): Result {
      const seconds = (performance.now() - startedAt) / 1000
      const after: Record<string, number> = read()
      const cpu = Object.entries(before).map(([who, ticks]) => [
        who,
        (((after[who] ?? 0) - ticks) / ticksPerSecond / n) * 1000,
      ])
      const used = Object.fromEntries(cpu) as Record<string, number>
      return { name, perSecond: n / seconds, cpu: used, rssMb: process.memoryUsage.rss() / 1e6 }
    },
  }
}

/** User and system time, with that of children that have ended. */
function sumTicks(list: number[]): number {
  let sum = 0
  for (const pid of list) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      sum += fields.slice(11, 15).reduce((total, field) => total + Number(field), 0)
    } catch {
      // It has ended meanwhile; its parent counts it.
    }
  }
  return sum
}

function postgresPids(dataDir: string): number[] {
  const pidFile = spawnSync('find', [dataDir, '-name', 'postmaster.pid']).stdout.toString().trim()
  const parent = pidFile === '' ? 0 : Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1] === String(parent)
      } catch {
        return false
      }
    })
  return [parent, ...children.map(Number)]
}
