import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { cloneDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { spawnSmtpSink } from '../support/smtp-sink.ts'
import { findPort, spawnWeb } from '../support/web-process.ts'
import { spawnWorker } from '../support/worker-process.ts'

const signups = Number(process.env['SIGNUPS'] ?? 200)
const kills = 6
const deadlineMs = 120_000
const behindProxy = { TRUST_PROXY: '127.0.0.1/32' }

test('P12 web and worker die by kill -9 again and again: every 2xx yields its activation mail', async () => {
  const databaseUrl = await cloneDatabase()
  const database = openDatabase({ url: databaseUrl, max: 2 })
  onTestFinished(() => database.close())
  const newsletter = await aNewsletter(database)
  const directory = mkdtempSync('/var/tmp/depeche-signups-')
  const record = join(directory, 'mails')
  const sink = await spawnSmtpSink(record)
  const port = await findPort()
  const workerOptions = { databaseUrl, smtpUrl: sink.url, connections: 4, leaseSeconds: 2 }
  let web = await spawnWeb({ databaseUrl, port, env: behindProxy })
  let worker = await spawnWorker(workerOptions)
  onTestFinished(async () => {
    web.kill('SIGKILL')
    await worker.kill()
    await sink.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const accepted: string[] = []
  const refused: string[] = []
  let next = 0
  /** Nobody answered means nothing was promised: a person tries again. */
  const ask = async (email: string, from: string): Promise<Response> => {
    for (;;) {
      try {
        return await fetch(`http://127.0.0.1:${port}/subscribe`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
          body: JSON.stringify({ email, newsletters: [newsletter.slug] }),
        })
      } catch {
        await sleep(50)
      }
    }
  }
  const person = async () => {
    while (next < signups) {
      const n = next++
      const email = `reader${n}@d${n % 50}.example`
      const response = await ask(email, `198.18.${n >> 8}.${n & 255}`)
      if (response.status === 202) accepted.push(email)
      else refused.push(`${response.status} ${await response.text()}`)
    }
  }
  const people = Promise.all(Array.from({ length: 4 }, person))
  for (let kill = 0; kill < kills; kill += 1) {
    // By progress rather than by time: a slow machine is killed as often, at the same places.
    while (next < (signups * (kill + 1)) / (kills + 2)) await sleep(5)
    if (kill % 2) {
      await worker.kill()
      worker = await spawnWorker(workerOptions)
    } else {
      web.kill('SIGKILL')
      await once(web, 'exit')
      web = await spawnWeb({ databaseUrl, port, env: behindProxy })
    }
  }
  await people
  expect(refused).toEqual([])
  expect(accepted).toHaveLength(signups)
  const mailed = () =>
    new Set(
      readFileSync(record, 'utf8')
        .split('\n')
        .map((line) => line.split('\t')[1]),
    )
  const missing = () => accepted.filter((email) => !mailed().has(email))
  const deadline = Date.now() + deadlineMs
  while (missing().length > 0 && Date.now() < deadline) await sleep(250)
  expect(missing()).toEqual([])
  const [{ n } = { n: 0 }] = await query<{ n: number }>(
    databaseUrl,
    "select count(*)::int as n from (select activation_id from outbox where kind = 'activation' group by 1 having count(*) > 1) twice",
  )
  expect(n).toBe(0)
  console.log(`${accepted.length} of ${signups} answered with 202 through ${kills} kills, 0 without a mail`)
})
