import { mkdtempSync, rmSync } from 'node:fs'
import pg from 'pg'
import { sendingTimes } from '../../src/domain/delivery/sending-times.ts'
import { createContext, type Context } from '../../src/context.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { createLogger } from '../../src/log.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { anArticle } from '../support/articles.ts'
import { aConfig } from '../support/config.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { countByState } from '../support/sending-digest.ts'

const batch = 40
const rounds = 300
const sections = ['politique', 'culture', 'sport', 'economie', 'climat', 'societe']
const articles = 12
const inFirstDigest = 5
const cli = { kind: 'cli', role: 'admin' } as const

/**
 * What grows with the audience: `npm run bench -- digests [READERS]` composes and prepares two digests, the second for
 * readers who have had the first, then claims from the second at its start and at its end.
 */
export async function run([readers = '1000000']: string[]): Promise<void> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir })
  try {
    await migrate(postgres.url)
    await migrateQueue({ kind: 'postgres', url: postgres.url })
    const context = createContext(aConfig(postgres.url), { log: createLogger('silent', 'cli') })
    try {
      const digestId = await measurePreparing(context, postgres.url, Number(readers))
      await measureClaims(context, postgres.url, digestId)
    } finally {
      await context.close()
    }
  } finally {
    await stopPostgres(dataDir, 'immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** @returns the second digest, of which nothing is claimed yet */
async function measurePreparing(context: Context, url: string, readers: number): Promise<number> {
  const ids = Array.from({ length: articles }, (_, n) => `story-${n}`)
  for (const [n, externalId] of ids.entries()) {
    const own = [n, ...(n % 4 === 0 ? [n + 1] : [])].map(
      (section) => sections[section % sections.length] ?? '',
    )
    await anArticle(context.database, { externalId, sections: own })
  }
  const newsletter = await aNewsletter(context.database)
  await timed(`${readers} readers are made`, () => seed(url, readers, newsletter.id))
  const first = await prepare(context, newsletter.slug, ids.slice(0, inFirstDigest))
  await query(url, `update deliveries set state = 'accepted' where digest_id = $1 and state = 'pending'`, [
    first,
  ])
  await query(url, 'vacuum analyze')
  return prepare(context, newsletter.slug)
}

async function prepare({ services, database }: Context, slug: string, chosen?: string[]): Promise<number> {
  const compose = () => services.digests.compose(slug, { cadence: 'daily', articles: chosen }, cli)
  const digest = await timed('compose', compose)
  await timed('read the draft', () => services.digests.get(digest.id))
  const request = { actor: cli, version: () => digest.version, idempotencyKey: `send-${digest.id}`, body: {} }
  await timed('send', () => services.digestTransitions.send(digest.id, request))
  await timed('prepare', () => services.preparing.prepare(digest.id))
  const counts = await countByState(database, digest.id)
  const variants = await database.stores.variants.list(digest.id)
  console.log(`  ${counts.pending} pending, ${counts.skipped} skipped, ${variants.length} variants`)
  return digest.id
}

/** Half of the readers want everything, the others one of 63 choices of sections. */
async function seed(url: string, readers: number, newsletterId: number): Promise<void> {
  await query(url, `update publication set postal_address = '1 quai du Phare, Port-Clair'`)
  await query(
    url,
    `insert into subscribers (address, address_hmac, key_id, language)
     select 'reader-' || n || '@reader.example', sha256(('reader-' || n)::bytea), 'bench', 'fr'
     from generate_series(1, $1::int) n`,
    [readers],
  )
  await query(
    url,
    `with places as (select id, row_number() over (order by id) - 1 as n from selections where kind = 'section')
     insert into subscriptions (subscriber_id, newsletter_id, state, cadence, activated_at, sections)
     select p.id, $1, 'active', 'daily', now(), case when p.id % 2 = 0 then '{}' else (
       select array_agg(id order by id) from places where (p.id / 2 % 63 + 1) & (1 << n::int) > 0) end
     from subscribers p`,
    [newsletterId],
  )
  await query(url, 'vacuum analyze')
}

async function measureClaims({ database }: Context, url: string, digestId: number): Promise<void> {
  const leases = database.stores.deliveries.leasesOf(digestId, sendingTimes)
  const pass = async (when: string, from: number): Promise<void> => {
    const took: Record<'claim' | 'commit' | 'accept', number[]> = { claim: [], commit: [], accept: [] }
    const time = async <T>(what: keyof typeof took, work: () => Promise<T>): Promise<T> => {
      const startedAt = performance.now()
      const result = await work()
      took[what].push(performance.now() - startedAt)
      return result
    }
    let after = from
    for (let n = 0; n < rounds; n++) {
      const { claimed, last } = await time('claim', () => leases.claim(batch, after))
      after = last
      await time('commit', () => leases.record(claimed))
      await time('accept', () => leases.record(claimed.map(({ key }) => ({ key, answer: '250 Ok' }))))
    }
    for (const [what, values] of Object.entries(took)) {
      const [p50, p99] = [percentile(values, 0.5), percentile(values, 0.99)]
      console.log(`${when}: ${what} of ${batch}: p50 ${p50} ms, p99 ${p99} ms`)
    }
  }
  await pass('start', 0)
  await query(
    url,
    `update deliveries set state = 'accepted' where digest_id = $1 and state = 'pending' and subscriber_id < (
       select subscriber_id from deliveries where digest_id = $1 and state = 'pending'
       order by subscriber_id desc offset $2 limit 1)`,
    [digestId, batch * (rounds + 1)],
  )
  // A worker that joins late looks from the first row on.
  const { last } = await timed('end: first claim of a late worker', () => leases.claim(batch, 0))
  await pass('end', last)
}

async function query(url: string, statement: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement, values)
  } finally {
    await client.end()
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const result = await work()
  console.log(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(2)} s`)
  return result
}

export function percentile(values: number[], p: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0).toFixed(1)
}
