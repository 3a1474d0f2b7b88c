import { fork } from 'node:child_process'
import { once } from 'node:events'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { sendDigest, senderEnvironment, startSmtpSource } from './mail.ts'

const roundTripMs = 60

/** A relay as it is in life: far away, encrypted, and behind a sign-in; smtp-source needs neither of these two. */
export async function run([readers = '3000']: string[]): Promise<void> {
  const n = Number(readers)
  const sink = fork(new URL('./distant-sink.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const [sinkPort] = (await once(sink, 'message')) as [number]
  const proxy = await startTcpProxy(sinkPort, roundTripMs / 2)
  const SMTP_URL = `smtp://depeche:bench@127.0.0.1:${proxy.port}?tls=opportunistic`
  const ours = Math.round((await sendDigest(n, { ...senderEnvironment(proxy.port), SMTP_URL })).perSecond)
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
