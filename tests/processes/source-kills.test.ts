import { expect, test } from 'vitest'
import { aFollowedSite } from '../support/sources.ts'
import { until } from '../support/until.ts'
import { spawnWorker } from '../support/worker-process.ts'

const dayMs = 86_400_000

/** Thirty articles to read, and a worker process that reads them. */
async function aWorkerReading() {
  const site = await aFollowedSite({ source: { since: '2100-01-01T00:00:00Z' } })
  const { wordpress, sourceId } = site
  for (let n = 1; n <= 30; n += 1) wordpress.add({ date: new Date(+wordpress.now - (31 - n) * dayMs) })
  const worker = await spawnWorker({
    databaseUrl: site.context.config.databaseUrl,
    smtpUrl: 'smtp://127.0.0.1:9',
    connections: 1,
    leaseSeconds: 60,
    env: { SOURCE_HOSTS: '127.0.0.1' },
  })
  const begin = async () => {
    await site.sql('update sources set since = null, cursor_at = null')
    await site.context.services.sources.sync(sourceId, { kind: 'cli', role: 'admin' })
  }
  /** What is kept: a number of articles, and the time of the last one's change. */
  const expectKept = async (articles: number) => {
    const last = wordpress.posts.get(articles)?.modified
    expect(await site.sql('select (select count(*)::int from articles), cursor_at from sources')).toEqual([
      { count: articles, cursor_at: last ? new Date(Math.floor(+last / 1_000) * 1_000) : null },
    ])
  }
  /** The next worker, once the lease of the dead one has run out. */
  const goOn = async () => {
    wordpress.requests = []
    await site.look()
    await expectKept(30)
    expect(Object.keys(await site.titles())).toHaveLength(30)
    return wordpress.requests.filter((path) => path.includes('_embed')).length
  }
  return { ...site, worker, begin, expectKept, goOn }
}

test('SRC-4 a worker is killed while ten articles and how far it is are written: neither is kept', async () => {
  const { worker, sql, begin, expectKept, goOn } = await aWorkerReading()
  await sql(`create function wait() returns trigger language plpgsql as $$ begin
    if (select count(*) from articles) = 20 then perform pg_sleep(600); end if; return null; end $$`)
  await sql('create trigger wait after insert on source_items execute function wait()')
  await begin()
  const [waiting] = await until('in the middle of the second ten', async () => {
    const rows = await sql<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
    )
    return rows.length > 0 && rows
  })
  await worker.kill()
  // What the server does once it misses the worker.
  await sql('select pg_terminate_backend($1, 5000)', [waiting?.pid])
  await sql('drop trigger wait on source_items')
  await expectKept(10)
  expect(await goOn()).toBe(2)
})

test('SRC-4 a worker is killed after ten articles are written: they are not read again', async () => {
  const { worker, wordpress, begin, expectKept, goOn } = await aWorkerReading()
  let reads = 0
  wordpress.onRequest = async (path) => {
    if (path.includes('_embed') && ++reads === 3) await worker.kill()
  }
  await begin()
  await worker.exited
  wordpress.onRequest = undefined
  await expectKept(20)
  expect(await goOn()).toBe(1)
})
