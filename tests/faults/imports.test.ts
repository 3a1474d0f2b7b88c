import { expect, onTestFinished, test } from 'vitest'
import { isLong } from '../support/fault-arena.ts'
import { importCsv, uploadCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { runSql } from '../support/sql.ts'
import { until } from '../support/until.ts'
import { aWeb, type Web } from '../support/web.ts'
import { spawnWorker } from '../support/worker-process.ts'

const people = isLong ? 8_000 : 3_000
const marks = isLong ? [1, people / 3, people / 2] : [1]

/** People in every state, some twice, some with a row that is none. */
function csv(): string {
  const words = ['', 'Subscribed', 'Unsubscribed', 'Cleaned', 'Unconfirmed', 'VIP']
  const lines = Array.from(
    { length: people },
    (_, n) => `reader-${n % (people - 100)}@import.example,${words[n % 6] ?? ''}`,
  )
  return `email,status\n${lines.join('\n')}\n`
}

async function aNewsroom() {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin' })
  return web
}

/** Everything that an import leaves, whoever placed it. */
const outcome = (web: Web) =>
  rowsOf(
    web,
    `select 'subscription ' || state || coalesce(' ' || ended_reason, '') as what, count(*)::int as n from subscriptions group by 1
     union all select 'suppression ' || reason, count(*)::int from suppressions group by 1
     union all select 'consent ' || event, count(*)::int from consents group by 1
     union all select 'request', count(*)::int from activations
     union all select 'turn', count(distinct decide_at)::int from activations
     order by 1`,
  )

const kinds = [
  { name: 'asked', wish: {} },
  { name: 'on a basis', wish: { basis: 'moved from our old system' } },
  { name: 'tried', wish: { isDryRun: true } },
]

test.each(kinds)(
  'an import whose workers are killed again and again leaves what an uninterrupted one does, $name',
  async ({ wish }) => {
    const whole = await aNewsroom()
    const expected = await importCsv(whole, csv(), wish)
    const web = await aNewsroom()
    const databaseUrl = web.context.config.databaseUrl
    const id = await uploadCsv(web, csv(), wish)
    const rowsRead = async () => (await web.context.services.imports.get(id)).progress.rows
    const start = async () => {
      const worker = await spawnWorker({
        databaseUrl,
        smtpUrl: 'smtp://127.0.0.1:1',
        connections: 1,
        leaseSeconds: 2,
      })
      onTestFinished(() => worker.kill())
      return worker
    }
    for (const mark of marks) {
      const worker = await start()
      await until(`row ${mark} is placed`, async () => (await rowsRead()) >= mark)
      await worker.kill()
      // Rings that the queue has lost are rung again.
      await runSql(
        databaseUrl,
        "update imports set lease_until = least(lease_until, clock_timestamp() + interval '1 second')",
      )
    }
    expect(await rowsRead()).toBeLessThan(people)
    const last = await start()
    await until(
      'the import is done',
      async () => (await web.context.services.imports.get(id)).state === 'done',
    )
    await last.drain()
    expect((await web.context.services.imports.get(id)).report).toEqual(expected)
    expect(await outcome(web)).toEqual(await outcome(whole))
    expect(await rowsOf(web, 'select 1 from import_promises')).toEqual([])
    const left = `select 1 from import_pieces p join imports i on i.id = p.import_id where not i.is_dry_run`
    expect(await rowsOf(web, left)).toEqual([])
  },
)

test('a worker that drains gives an import back at the row where it stands', async () => {
  const web = await aNewsroom()
  const id = await uploadCsv(web, csv(), { basis: 'moved from our old system' })
  const databaseUrl = web.context.config.databaseUrl
  const worker = await spawnWorker({
    databaseUrl,
    smtpUrl: 'smtp://127.0.0.1:1',
    connections: 1,
    leaseSeconds: 60,
  })
  const rowsRead = async () => (await web.context.services.imports.get(id)).progress.rows
  await until('rows are placed', async () => (await rowsRead()) > 0)
  expect(await worker.drain()).toBe(0)
  expect(await rowsRead()).toBeLessThan(people)
  await web.context.services.imports.work(id)
  expect(await web.context.services.imports.get(id)).toMatchObject({
    state: 'done',
    report: { rows: people },
  })
})
