import { globSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/sending-digest.ts'
import { until } from '../support/until.ts'
import { aWebProcess } from '../support/web-process.ts'
import { spawnWorker } from '../support/worker-process.ts'

/** Of a process whose machine is so far off. */
function clockOff(by: string): Record<string, string> {
  const [preload = ''] = globSync('/usr/lib/*/faketime/libfaketime.so.1')
  return { LD_PRELOAD: preload, FAKETIME: by, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}

async function aNewsroom() {
  const url = await cloneDatabase()
  const context = createContext(aConfig(url), { log: createLogger('silent', 'cli'), process: 'worker' })
  onTestFinished(() => context.close())
  await aNewsletter(context.database, { slug: 'le-matin' })
  const startWorker = async (by: string) => {
    const worker = await spawnWorker({
      databaseUrl: url,
      smtpUrl: 'smtp://127.0.0.1:9',
      connections: 1,
      leaseSeconds: 4,
      env: clockOff(by),
    })
    onTestFinished(() => worker.kill())
  }
  const { articles, signups, signupDecisions } = context.services
  return {
    url,
    sql: <Row>(text: string) => query<Row>(url, text),
    startWorker,
    schedule: (id: string, publishedAt: Date) =>
      articles.put(id, {
        title: id,
        html: '<p>…</p>',
        language: 'fr',
        state: 'scheduled',
        publishedAt: publishedAt.toISOString(),
      }),
    signUp: async (email: string) => {
      const visitor = { ipPrefix: undefined, userAgent: undefined, browser: undefined, language: 'fr' }
      await signups.signUp(await signups.read({ email }, 'fr'), visitor)
      await signupDecisions.decideAll()
    },
  }
}

const hour = 3_600_000

test.each(['+1d', '-3d'])(
  'a worker whose clock is off by %s publishes what is due, as of now, and nothing of tomorrow',
  async (by) => {
    const { sql, schedule, startWorker } = await aNewsroom()
    await schedule('due', new Date(Date.now() + hour))
    await schedule('embargoed', new Date(Date.now() + 12 * hour))
    await sql(`update articles set published_at = now() where external_id = 'due'`)
    await startWorker(by)
    await until('the due story is public', async () => {
      return (await sql(`select from articles where external_id = 'due' and state = 'published'`)).length > 0
    })
    expect(
      await sql(
        `select external_id, state, first_public_at between now() - interval '1 hour' and now() + interval '1 hour' as is_now
         from articles order by external_id`,
      ),
    ).toEqual([
      { external_id: 'due', state: 'published', is_now: true },
      { external_id: 'embargoed', state: 'scheduled', is_now: null },
    ])
  },
)

test('a worker ten days ahead deletes requests that are over, and none that can still be confirmed', async () => {
  const { sql, signUp, startWorker } = await aNewsroom()
  await signUp('karim@reader.example')
  await sql(`update activations set expires_at = now() - interval '2 days'`)
  await signUp('amina@reader.example')
  await startWorker('+10d')
  await until('what is over is deleted', async () => {
    return (await sql(`select from activations where address like 'karim@%'`)).length === 0
  })
  expect(await sql(`select kind from outbox`)).toEqual([{ kind: 'activation' }])
})

test.each(['+10d', '-10d'])(
  'a link that a web process makes whose clock is off by %s lives as long as any',
  async (by) => {
    const { url, sql } = await aNewsroom()
    const { port } = await aWebProcess(url, clockOff(by))
    const body = new URLSearchParams({ email: 'amina@reader.example', newsletters: 'le-matin' })
    await fetch(`http://127.0.0.1:${port}/subscribe`, { method: 'POST', body })
    expect(
      await sql(
        `select expires_at between now() + interval '6 days' and now() + interval '8 days' as is_open from activations`,
      ),
    ).toEqual([{ is_open: true }])
  },
)
