import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { workerNodeOptions } from '../../src/embedded/supervisor.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/connection.ts'
import { migrate } from '../../src/store/migrate.ts'
import { query } from '../support/sending-digest.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { aDigestToSend, senderEnvironment, startSmtpSource } from './mail.ts'
import type { SenderTask } from './mail-sender.ts'

const roundTripMs = 60

/** A relay as it is in life: far away, encrypted, and behind a sign-in; smtp-source needs neither of these two. */
export async function run([readers = '3000']: string[]): Promise<void> {
  const n = Number(readers)
  const sink = fork(new URL('./distant-sink.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const [sinkPort] = (await once(sink, 'message')) as [number]
  const proxy = await startTcpProxy(sinkPort, roundTripMs / 2)
  const ours = await sendOurs(n, proxy.port)
  const rows = [{ name: 'ours, STARTTLS and AUTH', 'messages/s': ours, ratio: 1 }]
  for (const [name, options] of [
    ['smtp-source, connections kept', ['-d']],
    ['smtp-source', []],
  ] as const) {
    const startedAt = performance.now()
    const [code] = (await once(startSmtpSource(n, proxy.port, [...options]), 'exit')) as [number | null]
    if (code !== 0) throw new Error(`${name} ended with ${code}`)
    const perSecond = (n / (performance.now() - startedAt)) * 1_000
    rows.push({ name, 'messages/s': Math.round(perSecond), ratio: Number((ours / perSecond).toFixed(2)) })
  }
  console.log(`${n} messages over a round trip of ${roundTripMs} ms; ratio: ours to it`)
  console.table(rows)
  await proxy.close()
  sink.disconnect()
}

/** @returns messages a second, from the start of the worker process to its last answer */
async function sendOurs(n: number, port: number): Promise<number> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir })
  await migrate(postgres.url)
  await migrateQueue({ kind: 'postgres', url: postgres.url })
  const digestId = await aDigestToSend(postgres.url, n)
  const startedAt = performance.now()
  const sender = fork(new URL('./mail-sender.ts', import.meta.url), { execArgv: workerNodeOptions })
  const env = senderEnvironment(port)
  const task: SenderTask = {
    databaseUrl: postgres.url,
    digestId,
    env: { ...env, SMTP_URL: `smtp://depeche:bench@127.0.0.1:${port}?tls=opportunistic` },
  }
  sender.send(task)
  await Promise.race([once(sender, 'message'), once(sender, 'exit')])
  const seconds = (performance.now() - startedAt) / 1_000
  if (sender.exitCode === null) await once(sender, 'exit')
  const [row] = await query<{ n: string }>(
    postgres.url,
    `select count(*) n from deliveries where state = 'accepted'`,
  )
  if (Number(row?.n) !== n) throw new Error(`only ${row?.n} of ${n} were accepted`)
  await stopPostgres(dataDir, 'immediate')
  rmSync(dataDir, { recursive: true, force: true })
  return Math.round(n / seconds)
}
