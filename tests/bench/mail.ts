import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport as createNodemailer } from 'nodemailer'
import { findFreePort } from '../../src/embedded/ports.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { workerNodeOptions } from '../../src/embedded/supervisor.ts'
import { createSigner } from '../../src/mail/message/sign.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aRecipient, dkimKeys } from '../support/mail.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import type { SenderTask } from './mail-sender.ts'
import { watchProcesses, type Measurement } from './process-watch.ts'

const connections = 20
interface Result extends Measurement {
  name: string
}

/** Our sending beside the naive way and beside Postfix's own client, each into a sink of its own. */
export async function run([readers = '20000']: string[]): Promise<void> {
  const n = Number(readers)
  const ours = await runOurs(n, 'ours')
  const unsigned = await runOurs(n, 'ours, unsigned')
  const naive = await runNaive(Math.ceil(n / 10))
  const source = await runSmtpSource(n)
  const signMs = await measureSigning()
  console.table(
    [ours, unsigned, naive, source].map(({ name, perSecond, cpu, peakRss }) => ({
      name,
      'messages/s': Math.round(perSecond),
      ...Object.fromEntries(Object.entries(cpu).map(([who, ms]) => [`${who} ms`, Number(ms.toFixed(2))])),
      'peak RSS MB': Math.round(peakRss),
    })),
  )
  console.log(`memory of our sender, from start to end: ${ours.rss.map(Math.round).join(' ')} MB`)
  console.log(`of which signing, with the hash of the body and RSA-2048: ${signMs.toFixed(2)} ms`)
  console.log(`ours / naive: ${(ours.perSecond / naive.perSecond).toFixed(1)}`)
  for (const { name, perSecond } of [ours, unsigned])
    console.log(`${name} / smtp-source: ${(perSecond / source.perSecond).toFixed(2)}`)
}

const keys = () => {
  const { domain, selector, privateKey } = dkimKeys()
  return { domain, selector, privateKey }
}

async function runOurs(n: number, name: 'ours' | 'ours, unsigned'): Promise<Result> {
  const sink = await startSink()
  const signed = senderEnvironment(sink.port)
  const env =
    name === 'ours'
      ? signed
      : Object.fromEntries(Object.entries(signed).filter(([variable]) => !variable.startsWith('DKIM_')))
  const result = { name, ...(await sendDigest(n, env, { sink: sink.child.pid ?? 0 })) }
  await sink.stop()
  return result
}

/** A digest sent by a worker process, from its start to its last answer. @param others whose CPU is told as well */
export async function sendDigest(
  n: number,
  env: Record<string, string>,
  others: Record<string, number> = {},
): Promise<Measurement> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir, settings: { shared_buffers: '256MB' } })
  await migrate(postgres.url)
  await migrateQueue({ kind: 'postgres', url: postgres.url })
  const digestId = await aDigestToSend(postgres.url, n)
  const sender = fork(new URL('./mail-sender.ts', import.meta.url), { execArgv: workerNodeOptions })
  const watch = watchProcesses({ sender: sender.pid ?? 0, ...others }, dataDir)
  sender.send({ databaseUrl: postgres.url, digestId, env } satisfies SenderTask)
  await Promise.race([once(sender, 'message'), once(sender, 'exit')])
  const measurement = watch.stop(n)
  if (sender.exitCode === null) await once(sender, 'exit')
  const [row] = await query<{ n: string }>(
    postgres.url,
    `select count(*) n from deliveries where state = 'accepted'`,
  )
  if (Number(row?.n) !== n) throw new Error(`only ${row?.n} of ${n} were accepted`)
  await stopPostgres(dataDir, 'immediate')
  rmSync(dataDir, { recursive: true, force: true })
  return measurement
}

/** A digest of four articles in `sending`, nothing of it claimed yet; its newsletter is `le-matin`. */
export async function aDigestToSend(url: string, readers: number): Promise<number> {
  const { digestId } = await aSendingDigest(url, { readers })
  const frozen = JSON.stringify({ ...aFrozenDigest(), digestId })
  await query(url, 'update digests set frozen = $1 where id = $2', [frozen, digestId])
  await query(url, `update variants set article_ids = '{1,2,3,4}'`)
  await query(url, 'vacuum analyze')
  return digestId
}

export function senderEnvironment(sinkPort: number): Record<string, string> {
  const { domain, selector, privateKey } = keys()
  return {
    SMTP_URL: `smtp://127.0.0.1:${sinkPort}`,
    SMTP_CONNECTIONS: String(connections),
    MAIL_FROM: `lettres@${domain}`,
    BOUNCE_DOMAIN: `bounces.${domain}`,
    DKIM_DOMAIN: domain,
    DKIM_SELECTOR: selector,
    DKIM_PRIVATE_KEY: privateKey,
  }
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
  const watch = watchProcesses({ sender: process.pid, sink: sink.child.pid ?? 0 })
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
  const result = { name: 'naive nodemailer', ...watch.stop(n) }
  transport.close()
  await sink.stop()
  return result
}

async function runSmtpSource(n: number): Promise<Result> {
  const sink = await startSink()
  const source = startSmtpSource(n, sink.port)
  const watch = watchProcesses({ sender: source.pid ?? 0, sink: sink.child.pid ?? 0 })
  await once(source, 'exit')
  const result = { name: 'smtp-source', ...watch.stop(n) }
  await sink.stop()
  return result
}

/** @param options of smtp-source; without `-d` each message has a connection of its own */
export function startSmtpSource(n: number, port: number, options: string[] = []): ChildProcess {
  const args = ['-s', String(connections), '-m', String(n), '-l', '45000', '-f', 'a@news.example.org']
  return spawn('smtp-source', [...options, ...args, '-t', 'b@reader.example', `127.0.0.1:${port}`])
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
