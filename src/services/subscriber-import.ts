import type { Readable } from 'node:stream'
import { parse } from 'csv-parse'
import { activationLifetimeMs } from '../domain/activation.ts'
import { findAddress, hashAddress, hashForLimits, type Address } from '../domain/address.ts'
import { mayActAs, nameOfActor, type Actor } from '../domain/editor.ts'
import { cadences, type Cadence, type Newsletter } from '../domain/newsletter.ts'
import { cadenceOf } from '../domain/subscription.ts'
import { DomainError } from '../errors.ts'
import { interfaceLanguageOf, interfaceLanguages } from '../locales.ts'
import type { Stores } from '../store/stores.ts'
import type { Parts } from './parts.ts'

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
const rowsPerTransaction = 100
/** Activation mails of an import, so that they wait behind nobody who signs up now. */
const mailsPerHour = 1_200

/** CSV in. Rows are read as they come: a file of any size needs the memory of one batch. */
export function createSubscriberImportService({
  database,
  keyring,
  now,
  doorbell,
}: Pick<Parts, 'database' | 'keyring' | 'now' | 'doorbell'>) {
  return {
    /** @throws DomainError `basis_needs_admin`, `csv_header`, `csv_broken` */
    async import(source: Readable, options: ImportOptions): Promise<ImportReport> {
      if (options.consentBasis !== undefined && !mayActAs(options.actor.role, 'admin')) {
        const sentence =
          'Only an admin may state a basis of consent; without it every row gets an activation mail.'
        throw new DomainError('forbidden', 'basis_needs_admin', sentence)
      }
      const offered = await listOffered(database.stores)
      const report = emptyReport(options.isDryRun)
      const startedAt = now()
      const take = async (batch: Row[]) => {
        await database.transaction(async (tx) => {
          for (const row of batch) {
            const outcome = await place(tx, row, {
              ...options,
              decideAt: decideAtOf(startedAt, report.pending),
            })
            report[outcome] += 1
          }
        })
        options.onProgress?.(report.rows)
      }
      let batch: Row[] = []
      for await (const raw of readRows(source)) {
        report.rows += 1
        const read = readRow(raw, offered)
        if ('message' in read) {
          report.invalid += 1
          if (report.errors.length < keptErrors) report.errors.push({ line: raw.line, message: read.message })
          continue
        }
        batch.push(read)
        if (batch.length === rowsPerTransaction) {
          await take(batch)
          batch = []
        }
      }
      if (batch.length > 0) await take(batch)
      if (!options.isDryRun) await finish(report, options)
      return report
    },
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

  async function place(tx: Stores, row: Row, options: ImportOptions & { decideAt: Date }): Promise<Outcome> {
    const { address } = row
    const hashes = hashAddress(keyring, address)
    if (await tx.suppressions.find(hashes)) return 'suppressed'
    const subscriber = await tx.subscribers.findByAddress(address.text)
    const subscriptions = subscriber ? await tx.subscriptions.list(subscriber.id) : []
    const fresh = row.newsletters.filter((one) =>
      subscriptions.every((known) => known.newsletterId !== one.id),
    )
    if (fresh.length === 0) return subscriptions.some((known) => known.state !== 'ended') ? 'known' : 'left'
    const outcome = options.consentBasis === undefined ? 'pending' : 'active'
    if (options.isDryRun) return outcome
    const [hash] = hashes
    if (!hash) throw new Error('a keyring has a key')
    const { id } = await tx.subscribers.put({ address: address.text, hash, language: row.language })
    const settled = { tx, row, subscriberId: id, newsletters: fresh }
    if (options.consentBasis === undefined) await ask(settled, options.decideAt)
    else await activate(settled, options.consentBasis)
    return outcome
  }

  async function ask({ tx, row, subscriberId, newsletters }: Placed, decideAt: Date) {
    for (const newsletter of newsletters) {
      await tx.subscriptions.insertPending(
        { subscriberId, newsletterId: newsletter.id },
        settingOf(row, newsletter),
      )
    }
    const [limit] = hashForLimits(keyring, row.address)
    if (!limit) throw new Error('a keyring has a key')
    const { policyVersion } = await tx.publication.get()
    await tx.activations.insert({
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
      createdAt: now(),
      decideAt,
      expiresAt: new Date(decideAt.getTime() + activationLifetimeMs),
      consent: { text: row.source, policyVersion, ipPrefix: undefined, userAgentSha256: undefined },
    })
  }

  async function activate({ tx, row, subscriberId, newsletters }: Placed, basis: string) {
    for (const newsletter of newsletters) {
      const key = { subscriberId, newsletterId: newsletter.id }
      await tx.subscriptions.activate(key, settingOf(row, newsletter), now())
    }
    await tx.consents.insert({
      event: 'imported',
      subscriberId,
      newsletterIds: newsletters.map((one) => one.id),
      method: 'import',
      basis: [basis, row.source, row.consentDate].filter(Boolean).join(' · '),
      form: 'import',
      locale: row.language,
    })
  }
}

const decideAtOf = (startedAt: Date, before: number): Date =>
  new Date(startedAt.getTime() + (before * 3_600_000) / mailsPerHour)

interface Placed {
  tx: Stores
  row: Row
  subscriberId: number
  newsletters: Newsletter[]
}

interface Row {
  address: Address
  language: string
  newsletters: Newsletter[]
  sections: string[]
  cadence: Cadence | undefined
  consentDate: string
  source: string
}

interface Offered {
  newsletters: Newsletter[]
  sections: Set<string>
}

const settingOf = (row: Row, newsletter: Newsletter) => ({
  cadence: cadenceOf(newsletter, row.cadence ?? newsletter.cadences[0]?.cadence ?? 'daily'),
  alerts: false,
  sections: row.sections,
})

async function listOffered(stores: Stores): Promise<Offered> {
  const sections = await stores.selections.list('section')
  return {
    newsletters: await stores.newsletters.list(),
    sections: new Set(sections.map((section) => section.slug)),
  }
}

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

interface RawRow {
  line: number
  fields: Record<string, string | undefined>
}

/** A line of more than 64 kB is no subscriber; the rest of the file is not held in memory for it. */
async function* readRows(source: Readable): AsyncGenerator<RawRow> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => {
      const names = header.map((name) => name.trim().toLowerCase())
      if (!names.includes('email')) {
        const sentence = 'The first line of the CSV names the columns, and `email` is one of them.'
        throw new DomainError('invalid', 'csv_header', sentence)
      }
      return names
    },
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: 64 * 1024,
    info: true,
  })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const item of parser as AsyncIterable<{ record: RawRow['fields']; info: { lines: number } }>) {
      yield { line: item.info.lines, fields: item.record }
    }
  } catch (error) {
    if (error instanceof DomainError) throw error
    const sentence = `The CSV cannot be read beyond what was reported (${(error as { code?: string }).code ?? 'broken'}).`
    throw new DomainError('invalid', 'csv_broken', sentence, { cause: error })
  }
}

function readRow({ fields }: RawRow, offered: Offered): Row | { message: string } {
  const address = findAddress(fields['email'] ?? '')
  if (!address) return { message: 'email is not one e-mail address' }
  const slugs = words(fields['newsletters'])
  const newsletters = offered.newsletters.filter((one) => slugs.includes(one.slug))
  const unknown = slugs.find((slug) => newsletters.every((one) => one.slug !== slug))
  if (unknown !== undefined) return { message: `newsletters names "${shown(unknown)}", which does not exist` }
  const chosen = slugs.length > 0 ? newsletters : offered.newsletters.slice(0, 1)
  if (chosen.length === 0) return { message: 'there is no newsletter to subscribe to' }
  const sections = words(fields['sections'])
  const odd = sections.find((slug) => !offered.sections.has(slug))
  if (odd !== undefined) return { message: `sections names "${shown(odd)}", which does not exist` }
  const language = fields['language'] || interfaceLanguageOf(chosen[0]?.language ?? 'en')
  if (!interfaceLanguages.some((known) => known === language))
    return { message: 'language is not fr, ar or en' }
  const cadence = cadences.find((known) => known === fields['cadence'])
  if (fields['cadence'] && !cadence) return { message: 'cadence is not daily, weekly or alert' }
  return {
    address,
    language,
    newsletters: chosen,
    sections,
    cadence,
    consentDate: fields['consent_date'] ?? '',
    source: fields['consent_source'] ?? '',
  }
}

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter(Boolean)

const shown = (text: string): string => text.slice(0, 40).replace(/[^\p{L}\p{N}-]/gu, '?')
