import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createContext, type Context } from '../../src/context.ts'
import type { Actor } from '../../src/domain/editor.ts'
import { DomainError } from '../../src/errors.ts'
import { createLogger } from '../../src/log.ts'
import { anArticle } from './articles.ts'
import { aConfig } from './config.ts'
import { cloneDatabase } from './database.ts'
import { aNewsletter } from './newsletters.ts'
import { query } from './sending-digest.ts'
import { spawnSmtpSink, type SinkFault } from './smtp-sink.ts'
import { aSubscriber } from './subscribers.ts'
import { spawnWorker, type WorkerProcess } from './worker-process.ts'

const cli: Actor = { kind: 'cli', role: 'admin' }
const connections = 2

export type LedgerRoom = Awaited<ReturnType<typeof aLedgerRoom>>

/** A newsroom with readers, real workers that may die, and an SMTP server that fails on demand and forgets nothing. */
export async function aLedgerRoom(readers: number, policy: 'resend_once' | 'hold') {
  const url = await cloneDatabase()
  const directory = mkdtempSync('/var/tmp/depeche-ledger-')
  const recordPath = join(directory, 'record')
  const sink = await spawnSmtpSink(recordPath)
  const workers: WorkerProcess[] = []
  const context = createContext(aConfig(url), { log: createLogger('silent', 'web'), maxConnections: 5 })
  const killAll = () => Promise.all(workers.splice(0, Infinity).map((worker) => worker.kill()))
  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    await killAll()
    await Promise.all([sink.stop(), context.close()])
    rmSync(directory, { recursive: true, force: true })
  }
  onTestFinished(close)
  const newsletter = await aRedaction(context, readers, policy)
  return {
    url,
    context,
    killAll,
    close,
    setFaults: (faults: SinkFault[]) => {
      sink.setFaults(faults)
    },
    /** Lines of Message-ID and recipient, one for each copy that somebody has. */
    record: () => (existsSync(recordPath) ? readFileSync(recordPath, 'utf8').split('\n').slice(0, -1) : []),
    /** @param killAt a step at which it will die */
    async startWorker(killAt?: string) {
      const env = killAt === undefined ? {} : { KILL_AT: killAt }
      workers.push(
        await spawnWorker({ databaseUrl: url, smtpUrl: sink.url, connections, leaseSeconds: 2, env }),
      )
    },
    /** Publishes a story, and sends all that is due. */
    async sendNews() {
      await anArticle(context.database)
      const { digests, digestTransitions } = context.services
      const { id } = await digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
      // Readers who get an earlier digest at this moment need its stories no more: whoever sends then looks once more.
      for (let isSent = false; !isSent;) {
        const { version } = await digests.get(id)
        const request = { actor: cli, version: () => version, idempotencyKey: `digest-${id}`, body: {} }
        isSent = await digestTransitions.send(id, request).then(() => true, orVersionChanged)
      }
    },
  }
}

function orVersionChanged(error: unknown): false {
  if (error instanceof DomainError && error.code === 'version_changed') return false
  throw error
}

async function aRedaction({ database, services }: Context, readers: number, policy: 'resend_once' | 'hold') {
  const settings = { name: 'Le Rivage', languages: ['fr'], postalAddress: '1, quai des Voiles' }
  await services.publication.set({ ...settings, ambiguousPolicy: policy }, cli)
  const newsletter = await aNewsletter(database, { cadences: [] })
  for (let n = 0; n < readers; n++) await aSubscriber(database, { newsletter })
  return newsletter
}

/** P9, of every digest at once. @returns those that do not add up */
export const listUnbalanced = (url: string) =>
  query(
    url,
    `select g.id, g.state, g.audience from digests g where g.audience is not null
      and g.audience <> (select count(*) from deliveries d where d.digest_id = g.id)`,
  )

/** What one person has of one digest, by the ledger and by the server's record. */
export interface Copy {
  digestId: number
  subscriberId: number
  state: string
  ambiguous: number
  articleIds: number[]
  copies: number
}

/** @returns each delivery with its copies, and lines of the record that belong to none */
export async function compare({ url, record }: Pick<LedgerRoom, 'url' | 'record'>) {
  const rows = await query<Omit<Copy, 'copies'> & { address: string }>(
    url,
    `select d.digest_id::int as "digestId", d.subscriber_id::int as "subscriberId", d.state, d.ambiguous, p.address,
       coalesce((select array_agg(a::int) from unnest(v.article_ids) a), '{}') as "articleIds"
     from deliveries d join subscribers p on p.id = d.subscriber_id left join variants v on v.id = d.variant_id`,
  )
  const copies = new Map<string, number>()
  for (const line of record()) copies.set(line, (copies.get(line) ?? 0) + 1)
  const lineOf = (row: (typeof rows)[number]) =>
    `<${row.digestId}.${row.subscriberId}@rivage.example>\t${row.address}`
  const known = new Set(rows.map(lineOf))
  return {
    copies: rows.map((row): Copy => ({ ...row, copies: copies.get(lineOf(row)) ?? 0 })),
    forged: [...copies.keys()].filter((line) => !known.has(line)),
  }
}
