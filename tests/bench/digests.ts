import { mkdtempSync, rmSync } from 'node:fs'
import pg from 'pg'
import { startPostgres } from '../../src/embedded/postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { sendingTimes } from '../../src/store/leases.ts'
import { migrate } from '../../src/store/migrate.ts'

const batch = 40
const rounds = 300

/** How long a claim takes at the start and at the end of a digest: `npm run bench -- digests [READERS]`. */
export async function run([readers = '1000000']: string[]): Promise<void> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir })
  try {
    await migrate(postgres.url)
    const digestId = await seed(postgres.url, Number(readers))
    await measure(postgres.url, digestId, Number(readers))
  } finally {
    await postgres.stop('immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function seed(url: string, readers: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const startedAt = performance.now()
    const { rows } = await client.query<{ id: string }>(
      `with n as (insert into newsletters (slug, name, language) values ('bench', 'Bench', 'fr') returning id)
       insert into digests (newsletter_id, cadence, state, audience) select id, 'daily', 'sending', $1 from n
       returning id`,
      [readers],
    )
    const id = Number(rows[0]?.id)
    await client.query(
      `insert into subscribers (address, language)
       select 'reader-' || n || '@reader.example', 'fr' from generate_series(1, $1::int) n`,
      [readers],
    )
    await client.query(
      `insert into subscriptions (subscriber_id, newsletter_id, state, cadence)
       select p.id, n.id, 'active', 'daily' from subscribers p, newsletters n`,
    )
    const preparedAt = performance.now()
    await client.query('insert into deliveries (digest_id, subscriber_id) select $1, id from subscribers', [
      id,
    ])
    const now = performance.now()
    console.log(
      `seeded ${readers} readers in ${seconds(preparedAt - startedAt)}; their deliveries in ${seconds(now - preparedAt)}`,
    )
    await client.query('analyze')
    return id
  } finally {
    await client.end()
  }
}

async function measure(url: string, digestId: number, readers: number): Promise<void> {
  const database = openDatabase({ url, max: 5 })
  const leases = database.stores.deliveries.leasesOf(digestId, sendingTimes)
  let after = 0
  const pass = async (when: string, from: number) => {
    const took: Record<'claim' | 'commit' | 'accept', number[]> = { claim: [], commit: [], accept: [] }
    const time = async <T>(what: keyof typeof took, work: () => Promise<T>): Promise<T> => {
      const startedAt = performance.now()
      const result = await work()
      took[what].push(performance.now() - startedAt)
      return result
    }
    after = Math.max(after, from)
    for (let n = 0; n < rounds; n++) {
      const { claimed, last } = await time('claim', () => leases.claim(batch, after))
      after = last
      await time('commit', () => leases.markCommitting(claimed))
      await time('accept', () => leases.markAccepted(claimed.map(({ key }) => ({ key, answer: '250 Ok' }))))
    }
    for (const [what, values] of Object.entries(took)) {
      console.log(
        `${when}: ${what} of ${batch}: p50 ${percentile(values, 0.5)} ms, p99 ${percentile(values, 0.99)} ms`,
      )
    }
  }
  try {
    await pass('start', 0)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const middle = readers - batch * (rounds + 1)
    await client.query(
      `update deliveries set state = 'accepted' where digest_id = $1 and state = 'pending' and subscriber_id < $2`,
      [digestId, middle],
    )
    await client.end()
    // As a worker that joins late does: from the first row on.
    after = 0
    const startedAt = performance.now()
    const { last } = await leases.claim(batch, 0)
    console.log(
      `end: first claim from the start of the table: ${Math.round(performance.now() - startedAt)} ms`,
    )
    after = last
    await pass('end', after)
  } finally {
    await database.close()
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

function percentile(values: number[], p: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0).toFixed(1)
}
