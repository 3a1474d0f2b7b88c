import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { aSendingDigest, countByState, query } from '../support/sending-digest.ts'
import { until } from '../support/until.ts'
import { spawnWorker } from '../support/worker-process.ts'

const cli = { kind: 'cli', role: 'admin' } as const

/** Where it is two in the morning now. */
function zoneOfNight(): string {
  const ahead = 2 - new Date().getUTCHours()
  const hours = ahead < -12 ? ahead + 24 : ahead
  return `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`
}

/** A digest of long ago, whose story 2,400 readers have and 100 were refused. */
async function anOldDigest(url: string) {
  const context = createContext(aConfig(url), { log: createLogger('silent', 'cli'), process: 'worker' })
  onTestFinished(() => context.close())
  const sql = <Row>(text: string, ...values: unknown[]) => query<Row>(url, text, values)
  const { digestId } = await aSendingDigest(url, { readers: 2_500 })
  await sql(
    `update publication set postal_address = '1, quai des Voiles, Port-Clair', zone = $1`,
    zoneOfNight(),
  )
  const { article } = await context.services.articles.put('port', {
    title: 'Le port',
    html: '<p>…</p>',
    language: 'fr',
  })
  await sql('update variants set article_ids = array[$1::bigint] where digest_id = $2', article.id, digestId)
  await sql(
    `insert into digest_articles (digest_id, article_id, position, snapshot) values ($1, $2, 1, '{}')`,
    digestId,
    article.id,
  )
  await sql(
    `update deliveries set accepted_at = now(),
       state = case when subscriber_id % 25 = 0 then 'rejected' when subscriber_id % 25 = 1 then 'uncertain' else 'accepted' end
     where digest_id = $1`,
    digestId,
  )
  await sql(
    `update digests set state = 'completed', completed_at = now() - interval '60 days' where id = $1`,
    digestId,
  )
  return { context, digestId, sql }
}

test('a worker is killed while details of deliveries become counts: each reader is here or there, once', async () => {
  const url = await cloneDatabase()
  const { context, digestId, sql } = await anOldDigest(url)
  const counts = await countByState(context.database, digestId)
  const startWorker = () =>
    spawnWorker({
      databaseUrl: url,
      smtpUrl: 'smtp://127.0.0.1:9',
      connections: 1,
      leaseSeconds: 60,
      env: { RETENTION_DELIVERIES: '30' },
    })
  /** Everybody, by where they are; and the counts that a person sees. */
  const expectBalance = async (left: number) => {
    expect(await countByState(context.database, digestId)).toEqual(counts)
    expect(
      await sql(
        `with here as (select subscriber_id as id from deliveries where digest_id = $1),
           there as (select unnest(subscriber_ids) as id from variant_readers where digest_id = $1)
         select (select count(*)::int from here) as here,
           (select count(*) - count(distinct id) from (select * from here union all select * from there) x)::int as twice,
           (select coalesce(sum(n), 0)::int from digest_results where digest_id = $1) as counted`,
        digestId,
      ),
    ).toEqual([{ here: left, twice: 0, counted: 2_500 - left }])
  }

  await sql(`create function wait() returns trigger language plpgsql as $$ begin
    perform pg_sleep(600); return null; end $$`)
  await sql(`create trigger wait after insert on variant_readers for each row when (new.first_id > 1000)
    execute function wait()`)
  const worker = await startWorker()
  const [waiting] = await until('in the middle of the second batch', async () => {
    const rows = await sql<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
    )
    return rows.length > 0 && rows
  })
  await worker.kill()
  // What the server does once it misses the worker.
  await sql('select pg_terminate_backend($1, 5000)', waiting?.pid)
  await sql('drop trigger wait on variant_readers')
  await expectBalance(1_500)

  // The story, while half of who has it is there and half is here: the hundred who were refused alone.
  const { services } = context
  const again = await services.digests.compose('le-matin', { cadence: 'daily', pinned: ['port'] }, cli)
  const request = { actor: cli, version: () => again.version, idempotencyKey: 'again', body: {} }
  await services.digestTransitions.send(again.id, request)
  await services.preparing.prepare(again.id)
  expect(
    await sql(
      `select count(*)::int as n, count(*) filter (where subscriber_id % 25 = 0)::int as refused from deliveries
       where digest_id = $1 and state = 'pending'`,
      again.id,
    ),
  ).toEqual([{ n: 100, refused: 100 }])

  // The next night.
  await sql('delete from rounds')
  const next = await startWorker()
  await until(
    'all of it is there',
    async () => (await sql('select from digests where has_details')).length === 1,
  )
  await next.kill()
  await expectBalance(0)
})
