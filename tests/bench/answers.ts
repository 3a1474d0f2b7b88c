import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import type { Newsletter } from '../../src/domain/newsletter.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber, testKeyring } from '../support/subscribers.ts'
import { percentile } from './digests.ts'
import { signUp, startSite } from './signups.ts'

/** What an address may be to us, and how it becomes that. */
const states: Record<
  string,
  (database: Database, newsletter: Newsletter, address: string) => Promise<unknown>
> = {
  new: () => Promise.resolve(),
  pending: (database, newsletter, address) =>
    aSubscriber(database, { address, newsletter, state: 'pending' }),
  active: (database, newsletter, address) => aSubscriber(database, { address, newsletter }),
  left: (database, newsletter, address) =>
    aSubscriber(database, { address, newsletter, ended: 'unsubscribed' }),
  bounced: (database, _, address) => suppress(database, address, 'bounced'),
  complained: (database, _, address) => suppress(database, address, 'complained'),
}

const suppress = (database: Database, address: string, reason: 'bounced' | 'complained') =>
  database.stores.suppressions.put(hashAddress(testKeyring, findAddress(address) ?? { text: address }), {
    reason,
  })

/**
 * Whether the time that a signup takes tells what the address is to us: `npm run bench -- answers [SAMPLES]`, so many
 * of each state, one after another in random order, while a worker decides about them. The medians are to lie within
 * 2 ms of each other.
 */
export async function run([samples = '500']: string[]): Promise<void> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const children: ChildProcess[] = []
  const postgres = await startPostgres({ dataDir })
  try {
    await migrate(postgres.url)
    await migrateQueue({ kind: 'postgres', url: postgres.url })
    const addresses = await seed(postgres.url, Number(samples))
    const { subscribeUrl } = await startSite(postgres.url, children)
    // The first answers of a process are slower than all others.
    for (let n = 0; n < 100; n++) await signUp(subscribeUrl, `early-${n}@reader.example`, performance.now())
    const took = new Map(Object.keys(states).map((state) => [state, [] as number[]]))
    for (const { state, address } of shuffled(addresses)) {
      const { status, tookMs } = await signUp(subscribeUrl, address, performance.now())
      if (status !== 202) throw new Error(`a signup was answered ${status}`)
      took.get(state)?.push(tookMs)
    }
    report(took)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await stopPostgres(dataDir, 'immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function seed(url: string, samples: number): Promise<{ state: string; address: string }[]> {
  const database = openDatabase({ url })
  const newsletter = await aNewsletter(database, { slug: 'le-matin' })
  const addresses: { state: string; address: string }[] = []
  for (let n = 0; n < samples; n++) {
    for (const [state, become] of Object.entries(states)) {
      const address = `reader-${addresses.length}@domain-${n % 100}.example`
      await become(database, newsletter, address)
      addresses.push({ state, address })
    }
  }
  await database.close()
  return addresses
}

const shuffled = <T>(items: T[]): T[] =>
  items
    .map((item) => ({ item, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)

function report(took: Map<string, number[]>): void {
  const rows = [...took].map(([state, times]) => ({
    state,
    samples: times.length,
    'p50, ms': Number(percentile(times, 0.5)),
    'p90, ms': Number(percentile(times, 0.9)),
    'p99, ms': Number(percentile(times, 0.99)),
  }))
  console.table(rows)
  const medians = rows.map((row) => row['p50, ms'])
  console.log(
    `medians apart by ${(Math.max(...medians) - Math.min(...medians)).toFixed(1)} ms at most (target 2)`,
  )
}
