import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { killPoints, signupKillPoints } from '../../src/services/delivery/kill-points.ts'
import { openDatabase } from '../../src/store/database.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { cloneDatabase } from '../support/database.ts'
import { isLong } from '../support/fault-arena.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { spawnSmtpSink } from '../support/smtp-sink.ts'
import { spawnWeb } from '../support/web-process.ts'
import { spawnWorker } from '../support/worker-process.ts'

const least = isLong ? 1_000 : 100
const rounds = isLong ? 5 : 1
/** Without one more mail for so long, the rest is lost. */
const patienceMs = 120_000
const webSteps = Array.from({ length: rounds }, () => signupKillPoints.web).flat()
const workerSteps = Array.from({ length: rounds }, () => [...signupKillPoints.worker, ...killPoints]).flat()

/** Not at the first time, so that some of what a process does is whole; without a step it lives. */
const diesAt = (step: string | undefined): Record<string, string> =>
  step === undefined ? {} : { KILL_AT: `${step}:3` }

const timeout = 30 * 60_000

test(
  'P12 kill -9 at each step of a signup and its mail: every 2xx yields its activation mail',
  { timeout },
  async () => {
    const databaseUrl = await cloneDatabase()
    const database = openDatabase({ url: databaseUrl, max: 2 })
    onTestFinished(() => database.close())
    const newsletter = await aNewsletter(database)
    const directory = mkdtempSync('/var/tmp/depeche-signups-')
    const record = join(directory, 'mails')
    const sink = await spawnSmtpSink(record)
    const port = await findFreePort()
    const startWeb = (step?: string) =>
      spawnWeb({
        databaseUrl,
        port,
        env: { NODE_ENV: 'test', TRUST_PROXY: '127.0.0.1/32', ...diesAt(step) },
      })
    const startWorker = (step?: string) =>
      spawnWorker({ databaseUrl, smtpUrl: sink.url, connections: 4, leaseSeconds: 2, env: diesAt(step) })
    let starting = startWeb(webSteps[0])
    let web = await starting
    let worker = await startWorker(workerSteps[0])
    onTestFinished(async () => {
      web.kill('SIGKILL')
      await worker.kill()
      await sink.stop()
      rmSync(directory, { recursive: true, force: true })
    })

    const killWebs = async () => {
      for (const next of [...webSteps.slice(1), undefined]) {
        if (web.exitCode === null && web.signalCode === null) await once(web, 'exit')
        expect(web.signalCode).toBe('SIGKILL')
        starting = startWeb(next)
        web = await starting
      }
    }
    const killWorkers = async () => {
      for (const next of [...workerSteps.slice(1), undefined]) {
        expect(await worker.exited).toBe('SIGKILL')
        worker = await startWorker(next)
      }
    }

    const accepted: string[] = []
    const refused: string[] = []
    let made = 0
    let isKilling = true
    /** Nobody answered means nothing was promised: a person tries again, once there is somebody to ask. */
    const ask = async (email: string, from: string): Promise<Response> => {
      for (;;) {
        await starting
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
    /** People come until the last process is dead, for a step that nobody passes kills nobody. */
    const person = async () => {
      while (made < least || isKilling) {
        const n = made++
        const email = `reader${n}@d${n % 50}.example`
        const response = await ask(email, `198.18.${n >> 8}.${n & 255}`)
        if (response.status === 202) accepted.push(email)
        else refused.push(`${response.status} ${await response.text()}`)
        if (made > least) await sleep(500)
      }
    }
    const people = Promise.all(Array.from({ length: 4 }, person))
    await Promise.all([killWebs(), killWorkers()])
    isKilling = false
    await people
    expect(refused).toEqual([])
    expect(accepted.length).toBeGreaterThanOrEqual(least)
    const mailed = () =>
      new Set(
        readFileSync(record, 'utf8')
          .split('\n')
          .map((line) => line.split('\t')[1]),
      )
    const missing = () => accepted.filter((email) => !mailed().has(email))
    let left = missing().length
    let since = Date.now()
    while (left > 0 && Date.now() - since < patienceMs) {
      await sleep(250)
      const now = missing().length
      if (now < left) since = Date.now()
      left = now
    }
    expect(missing()).toEqual([])
    const [{ n } = { n: 0 }] = await query<{ n: number }>(
      databaseUrl,
      "select count(*)::int as n from (select activation_id from outbox where kind = 'activation' group by 1 having count(*) > 1) twice",
    )
    expect(n).toBe(0)
    console.log(
      `${accepted.length} answered with 202 through ${webSteps.length + workerSteps.length} kills, 0 without a mail`,
    )
  },
)
