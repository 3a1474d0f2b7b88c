import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { createDoorbell, type Doorbell } from '../../src/queue/enqueue.ts'
import { cloneDatabase } from './database.ts'
import { aSendingDigest, query } from './sending-digest.ts'
import { spawnSmtpSink, type SinkProcess } from './smtp-sink.ts'
import { spawnWorker, type WorkerOptions, type WorkerProcess } from './worker-process.ts'

/** The long form of the suite; the short one runs with every `npm test`. */
export const isLong = process.env['FAULTS'] === 'long'

/** What a run has come to: the ledger beside the record of the SMTP server, which was never harmed. */
export interface Tally {
  audience: number
  accepted: number
  uncertain: number
  /** Accepted in the ledger, absent from the record. */
  lost: number
  /** Copies beyond each person's first. */
  duplicates: number
  mostCopies: number
  /** In the record, absent from the ledger. */
  forged: number
  /** People with a copy whose delivery says neither accepted nor uncertain. */
  unrecorded: number
  /** Deliveries that are not at an end. */
  open: number
  /** Deliveries in a worker's hands. */
  claimed: number
}

export interface Arena {
  databaseUrl: string
  digestId: number
  newsletterId: number
  sink: SinkProcess
  /** Copies that people have so far. */
  copies(): number
  /** Who has them, in the order in which they came. */
  recipients(): string[]
  /** When they came, in milliseconds. */
  times(): number[]
  ring: Doorbell['ring']
  start(change?: Partial<WorkerOptions>): Promise<WorkerProcess>
  untilCopies(n: number): Promise<void>
  /** @returns the digest's state */
  untilOver(): Promise<string>
  tally(): Promise<Tally>
}

interface ArenaOptions {
  readers: number
  policy?: 'resend_once' | 'hold'
  connections?: number
  leaseSeconds?: number
  /** The database to use instead of a clone, through whatever stands before it. */
  databaseUrl?: string
  /** The same database without detours, for looking at it. */
  plainUrl?: string
}

const patience = isLong ? 20 * 60_000 : 60_000

/** A digest in `sending`, a recording SMTP server that survives everything, and as many workers as a test starts. */
export async function anArena(options: ArenaOptions): Promise<Arena> {
  const { readers, policy = 'resend_once', connections = 10, leaseSeconds = 4 } = options
  const databaseUrl = options.databaseUrl ?? (await cloneDatabase())
  const plainUrl = options.plainUrl ?? databaseUrl
  const directory = mkdtempSync('/var/tmp/depeche-faults-')
  const recordPath = join(directory, 'record')
  const sink = await spawnSmtpSink(recordPath)
  const workers: WorkerProcess[] = []
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.kill()))
    await sink.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const { digestId, newsletterId } = await aSendingDigest(plainUrl, { readers, policy })
  const doorbell = createDoorbell({ kind: 'postgres', url: plainUrl }, () => undefined)
  onTestFinished(() => doorbell.close())
  const linesOf = (path: string) =>
    existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  const record = () => linesOf(recordPath)
  const until = async (what: string, isSo: () => Promise<boolean> | boolean) => {
    const deadline = Date.now() + patience
    while (!(await isSo())) {
      if (Date.now() > deadline)
        throw new Error(`${what} did not come about: ${JSON.stringify(await arena.tally())}`)
      await sleep(50)
    }
  }
  const stateOf = async () =>
    (await query<{ state: string }>(plainUrl, 'select state from digests where id = $1', [digestId]))[0]
      ?.state ?? ''
  const arena: Arena = {
    databaseUrl,
    digestId,
    newsletterId,
    sink,
    copies: () => record().length,
    recipients: () => record().map((line) => line.split('\t')[1] ?? ''),
    ring: doorbell.ring,
    times: () => linesOf(`${recordPath}.times`).map(Number),
    async start(change = {}) {
      const worker = await spawnWorker({
        databaseUrl,
        smtpUrl: sink.url,
        connections,
        leaseSeconds,
        ...change,
      })
      workers.push(worker)
      return worker
    },
    untilCopies: (n) => until(`${n} copies`, () => record().length >= n),
    async untilOver() {
      await until('the end', async () => !['sending', 'preparing'].includes(await stateOf()))
      return stateOf()
    },
    tally: () => tally(plainUrl, digestId, record()),
  }
  return arena
}

async function tally(databaseUrl: string, digestId: number, record: string[]): Promise<Tally> {
  const rows = await query<{ address: string; state: string; id: string }>(
    databaseUrl,
    `select d.state, p.address, p.id from deliveries d join subscribers p on p.id = d.subscriber_id
     where d.digest_id = $1`,
    [digestId],
  )
  const [digest] = await query<{ audience: number }>(
    databaseUrl,
    'select audience from digests where id = $1',
    [digestId],
  )
  const ledger = new Map(
    rows.map((row) => [`<${digestId}.${row.id}@rivage.example>\t${row.address}`, row.state]),
  )
  const copies = new Map<string, number>()
  for (const line of record) copies.set(line, (copies.get(line) ?? 0) + 1)
  const countState = (...states: string[]) => rows.filter((row) => states.includes(row.state)).length
  const known = [...copies].filter(([line]) => ledger.has(line))
  return {
    audience: digest?.audience ?? 0,
    accepted: countState('accepted'),
    uncertain: countState('uncertain'),
    lost: [...ledger].filter(([line, state]) => state === 'accepted' && !copies.has(line)).length,
    duplicates: known.reduce((sum, [, n]) => sum + n - 1, 0),
    mostCopies: known.reduce((most, [, n]) => Math.max(most, n), 0),
    forged: copies.size - known.length,
    unrecorded: known.filter(([line]) => !['accepted', 'uncertain'].includes(ledger.get(line) ?? '')).length,
    open: countState('pending', 'claimed', 'committing', 'deferred'),
    claimed: countState('claimed', 'committing'),
  }
}

/** Prints one line of the table, and holds what no fault may change. */
export function judge(
  name: string,
  tally: Tally,
  { bound, kills = 0, skipped = 0 }: { bound: number; kills?: number; skipped?: number },
): void {
  const { audience, accepted, uncertain, lost, duplicates, mostCopies, forged } = tally
  console.log(
    [
      name.padEnd(44),
      `readers ${audience}`,
      `kills ${kills}`,
      `lost ${lost}`,
      `duplicates ${duplicates} (bound ${bound})`,
      `most copies ${mostCopies}`,
      `forged ${forged}`,
      `uncertain ${uncertain}`,
    ].join(' | '),
  )
  expect(tally).toMatchObject({ lost: 0, forged: 0, unrecorded: 0, open: 0 })
  expect(accepted + uncertain + skipped, 'everybody is accounted for').toBe(audience)
  expect(duplicates).toBeLessThanOrEqual(bound)
  expect(mostCopies).toBeLessThanOrEqual(bound === 0 ? 1 : 2)
}
