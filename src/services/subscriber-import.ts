import type { Readable } from 'node:stream'
import { activationLifetimeMs } from '../domain/activation.ts'
import { hashAddress, hashForLimits, toLowerAddress, type AddressHash } from '../domain/address.ts'
import { mayActAs, nameOfActor, type Actor } from '../domain/editor.ts'
import type { Newsletter } from '../domain/newsletter.ts'
import { cadenceOf, type Subscription } from '../domain/subscription.ts'
import { DomainError } from '../errors.ts'
import type { NewActivation } from '../store/activations.ts'
import type { NewConsent } from '../store/consents.ts'
import type { Stores } from '../store/stores.ts'
import type { Parts } from './parts.ts'
import { listOffered, readRow, readRows, type Offered, type Row } from './subscriber-csv.ts'

export interface ImportOptions {
  actor: Actor
  isDryRun: boolean
  /** How consent was given, in words; needs an admin. Without it everyone gets an activation mail. */
  consentBasis: string | undefined
  onProgress?: (rows: number) => void
}

export interface ImportReport {
  dryRun: boolean
  rows: number
  /** Active at once, on the stated basis. */
  active: number
  /** Waiting for their activation. */
  pending: number
  /** Subscribed, or asked, already. */
  known: number
  /** Left before; never brought back. */
  left: number
  /** Bounced, complained, erased or barred by the desk. */
  suppressed: number
  invalid: number
  /** Of the first thousand invalid rows; `line` counts the header as 1. */
  errors: { line: number; message: string }[]
}

type Outcome = 'active' | 'pending' | 'known' | 'left' | 'suppressed'

const keptErrors = 1_000
const rowsPerTransaction = 500
/** Activation mails of an import, so that they wait behind nobody who signs up now. */
const msPerMail = 3_600_000 / 1_200

/** A row, with what its address is to us. */
interface Judged {
  row: Row
  hash: AddressHash
  /** As it will be once `fresh` is subscribed to. */
  outcome: Outcome
  /** The newsletters to which nobody of this address has a subscription, in whatever state. */
  fresh: Newsletter[]
}

/** CSV in. Rows are read as they come: a file of any size needs the memory of one batch. */
export function createSubscriberImportService({
  database,
  keyring,
  now,
  doorbell,
}: Pick<Parts, 'database' | 'keyring' | 'now' | 'doorbell'>) {
  return {
    /** @throws DomainError `basis_needs_admin`, `csv_header` */
    async import(source: Readable, options: ImportOptions): Promise<ImportReport> {
      if (options.consentBasis !== undefined && !mayActAs(options.actor.role, 'admin')) {
        const sentence =
          'Only an admin may state a basis of consent; without it every row gets an activation mail.'
        throw new DomainError('forbidden', 'basis_needs_admin', sentence)
      }
      const offered = await listOffered(database.stores)
      const report = emptyReport(options.isDryRun)
      const place = options.isDryRun ? foresee(options) : write(options, await findTurn())
      for await (const batch of batchesOf(validRows(source, offered, report))) {
        for (const outcome of await database.transaction((tx) => place(tx, batch))) report[outcome] += 1
        options.onProgress?.(report.rows)
      }
      if (!options.isDryRun) await finish(report, options)
      return report
    },
  }

  /** When the first activation mail may go: behind those of imports before, one that was interrupted too. */
  async function findTurn(): Promise<Date> {
    const last = await database.stores.activations.findLastImported()
    return new Date(Math.max(now().getTime(), (last?.getTime() ?? 0) + msPerMail))
  }

  /** What an import would do. It remembers whom it promised what, 100 bytes a row, for a file may name one twice. */
  function foresee(options: ImportOptions) {
    const promised = new Set<string>()
    const promiseOf = (address: string, newsletterId: number) => `${toLowerAddress(address)} ${newsletterId}`
    return async (tx: Stores, rows: Row[]): Promise<Outcome[]> =>
      (await judge(tx, rows, options)).map(({ row, outcome, fresh }) => {
        const promises = fresh.map((newsletter) => promiseOf(row.address.text, newsletter.id))
        const isKnown = promises.length > 0 && promises.every((promise) => promised.has(promise))
        for (const promise of promises) promised.add(promise)
        return isKnown ? 'known' : outcome
      })
  }

  function write(options: ImportOptions, startedAt: Date) {
    let pending = 0
    return async (tx: Stores, rows: Row[]): Promise<Outcome[]> => {
      const judged = await judge(tx, rows, options)
      const placed = await subscribe(tx, judged, options)
      if (options.consentBasis !== undefined)
        await tx.consents.insert(...toConsents(placed, options.consentBasis))
      else if (placed.length > 0) {
        const { policyVersion } = await tx.publication.get()
        await tx.activations.insert(
          ...placed.map((one, index) =>
            toRequest(one, { at: now(), decideAt: decideAtOf(startedAt, pending + index), policyVersion }),
          ),
        )
        pending += placed.length
      }
      const done = new Set(placed.map((one) => one.row))
      // Whoever signed up by themselves meanwhile keeps what they chose.
      return judged.map(({ row, outcome, fresh }) => (fresh.length > 0 && !done.has(row) ? 'known' : outcome))
    }
  }

  async function judge(tx: Stores, rows: Row[], options: ImportOptions): Promise<Judged[]> {
    const hashes = new Map(rows.map((row) => [row, hashAddress(keyring, row.address)]))
    // First, so that whoever leaves or is erased meanwhile does so before the next look, or after this batch.
    const ids = await tx.subscribers.lockByAddress(rows.map((row) => row.address.text))
    const suppressed = await tx.suppressions.listHmacs([...hashes.values()].flat())
    const theirs = groupBySubscriber(await tx.subscriptions.listOf([...ids.values()]))
    return rows.map((row) => {
      const under = hashes.get(row) ?? []
      const [hash] = under
      if (!hash) throw new Error('a keyring has a key')
      if (under.some(({ hmac }) => suppressed.has(hmac.toString('hex'))))
        return { row, hash, outcome: 'suppressed', fresh: [] }
      const id = ids.get(row.address.text)
      const states = new Map(theirs.get(id)?.map((one) => [one.newsletterId, one.state]))
      const fresh = row.newsletters.filter((one) => !states.has(one.id))
      const promise = options.consentBasis === undefined ? 'pending' : 'active'
      const past = row.newsletters.every((one) => states.get(one.id) === 'ended') ? 'left' : 'known'
      return { row, hash, outcome: fresh.length > 0 ? promise : past, fresh }
    })
  }

  /** Those that could be, with their subscriber and what is new to them. */
  async function subscribe(tx: Stores, judged: Judged[], options: ImportOptions): Promise<Placed[]> {
    const wanted = judged.filter(({ fresh }) => fresh.length > 0)
    await tx.subscribers.insertNew(
      wanted.map(({ row, hash }) => ({ address: row.address.text, hash, language: row.language })),
    )
    const ids = await tx.subscribers.lockByAddress(wanted.map(({ row }) => row.address.text))
    const subscriberOf = ({ address }: Row) => {
      const id = ids.get(address.text)
      if (id === undefined) throw new Error('a subscriber vanished while it was imported')
      return id
    }
    const inserted = await tx.subscriptions.insertNew(
      options.consentBasis === undefined ? 'pending' : 'active',
      wanted.flatMap(({ row, fresh }) =>
        fresh.map((one) => ({
          subscriberId: subscriberOf(row),
          newsletterId: one.id,
          ...settingOf(row, one),
        })),
      ),
    )
    const keys = new Set(inserted.map((key) => `${key.subscriberId} ${key.newsletterId}`))
    return wanted
      .map(({ row, fresh }) => {
        const subscriberId = subscriberOf(row)
        return {
          row,
          subscriberId,
          newsletters: fresh.filter((one) => keys.has(`${subscriberId} ${one.id}`)),
        }
      })
      .filter(({ newsletters }) => newsletters.length > 0)
  }

  function toRequest(
    { row, subscriberId, newsletters }: Placed,
    { at, decideAt, policyVersion }: Asking,
  ): NewActivation {
    const [limit] = hashForLimits(keyring, row.address)
    if (!limit) throw new Error('a keyring has a key')
    return {
      kind: 'signup',
      subscriberId,
      address: row.address.text,
      limit,
      language: row.language,
      wanted: {
        newsletters: newsletters.map((one) => one.slug),
        cadence: row.cadence ?? 'daily',
        alerts: false,
        sections: row.sections,
      },
      form: 'import',
      isMailable: true,
      createdAt: at,
      decideAt,
      expiresAt: new Date(decideAt.getTime() + activationLifetimeMs),
      consent: { text: row.source, policyVersion, ipPrefix: undefined, userAgentSha256: undefined },
    }
  }

  async function finish(report: ImportReport, options: ImportOptions) {
    const { rows, active, pending, known, left, suppressed, invalid } = report
    await database.stores.audit.insert({
      actor: nameOfActor(options.actor),
      action: 'subscribers.import',
      detail: {
        rows,
        active,
        pending,
        known,
        left,
        suppressed,
        invalid,
        basis: options.consentBasis ?? null,
      },
    })
    if (pending > 0) await doorbell.ring('decide-signups', {})
  }
}

function groupBySubscriber(subscriptions: Subscription[]): Map<number | undefined, Subscription[]> {
  const groups = new Map<number, Subscription[]>()
  for (const one of subscriptions)
    groups.set(one.subscriberId, [...(groups.get(one.subscriberId) ?? []), one])
  return groups
}

const toConsents = (placed: Placed[], basis: string): NewConsent[] =>
  placed.map(({ row, subscriberId, newsletters }) => ({
    event: 'imported',
    subscriberId,
    newsletterIds: newsletters.map((one) => one.id),
    method: 'import',
    basis: [basis, row.source, row.consentDate].filter(Boolean).join(' · '),
    form: 'import',
    locale: row.language,
  }))

const decideAtOf = (startedAt: Date, before: number): Date =>
  new Date(startedAt.getTime() + before * msPerMail)

interface Placed {
  row: Row
  subscriberId: number
  newsletters: Newsletter[]
}

interface Asking {
  at: Date
  decideAt: Date
  policyVersion: string
}

const settingOf = (row: Row, newsletter: Newsletter) => ({
  cadence: cadenceOf(newsletter, row.cadence ?? newsletter.cadences[0]?.cadence ?? 'daily'),
  alerts: false,
  sections: row.sections,
})

const emptyReport = (dryRun: boolean): ImportReport => ({
  dryRun,
  rows: 0,
  active: 0,
  pending: 0,
  known: 0,
  left: 0,
  suppressed: 0,
  invalid: 0,
  errors: [],
})

/** Counts every row; tells what is wrong with those that it leaves out. */
async function* validRows(source: Readable, offered: Offered, report: ImportReport): AsyncGenerator<Row> {
  for await (const raw of readRows(source)) {
    report.rows += 1
    const row = 'message' in raw ? raw : readRow(raw, offered)
    if (!('message' in row)) yield row
    else {
      report.invalid += 1
      if (report.errors.length < keptErrors) report.errors.push({ line: raw.line, message: row.message })
    }
  }
}

/** No batch holds an address twice: the second finds what the first has become. */
async function* batchesOf(rows: AsyncIterable<Row>): AsyncGenerator<Row[]> {
  let batch = new Map<string, Row>()
  for await (const row of rows) {
    const key = toLowerAddress(row.address.text)
    if (batch.size === rowsPerTransaction || batch.has(key)) {
      yield [...batch.values()]
      batch = new Map()
    }
    batch.set(key, row)
  }
  if (batch.size > 0) yield [...batch.values()]
}
