import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { CsvError, parse } from 'csv-parse'
import { findAddress, type Address } from '../domain/address.ts'
import { cadences, type Cadence, type Newsletter } from '../domain/newsletter.ts'
import { DomainError } from '../errors.ts'
import { interfaceLanguageOf, interfaceLanguages } from '../locales.ts'
import type { Stores } from '../store/stores.ts'

/** One line of the file that names a person. */
export interface Row {
  address: Address
  language: string
  newsletters: Newsletter[]
  /** Slugs. */
  sections: string[]
  cadence: Cadence | undefined
  consentDate: string
  source: string
}

/** What a row may name. */
export interface Offered {
  newsletters: Newsletter[]
  /** Slugs. */
  sections: Set<string>
}

export async function listOffered(stores: Stores): Promise<Offered> {
  const sections = await stores.selections.list('section')
  return {
    newsletters: await stores.newsletters.list(),
    sections: new Set(sections.map((section) => section.slug)),
  }
}

interface RawRow {
  line: number
  fields: Record<string, string | undefined>
}

/** What is wrong with a row, said without its words, but for a slug. */
interface Invalid {
  message: string
}

/**
 * Rows as they come; where the file cannot be read any further, that is the last of them. A line of more than 64 kB is
 * no subscriber; the rest of the file is not held in memory for it.
 * @throws DomainError `csv_header`
 */
export async function* readRows(source: Readable): AsyncGenerator<RawRow | (Invalid & { line: number })> {
  const rows: RawRow[] = []
  let lastLine = 1
  // A stream that fails drops what it holds; taken here, each row before the fault is still read.
  const parser = parse<RawRow['fields']>({
    ...format,
    on_record: (fields, { lines }) => {
      rows.push({ line: lines, fields })
      lastLine = lines
      return null
    },
  })
  // Told by the write that met it.
  parser.on('error', () => undefined)
  const write = promisify((chunk: Buffer, done: (error?: Error | null) => void) => parser.write(chunk, done))
  const end = promisify((done: (error?: Error | null) => void) => parser.end(done))
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      await write(chunk)
      yield* rows.splice(0)
    }
    await end()
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    yield* rows.splice(0)
    yield { line: lastLine + 1, message: `nothing can be read from here on (${error.code}); mend its quotes` }
  }
  yield* rows.splice(0)
}

const format = {
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
}

export function readRow({ fields }: RawRow, offered: Offered): Row | Invalid {
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
  const consent = { consentDate: fields['consent_date'] ?? '', source: fields['consent_source'] ?? '' }
  if (Object.values(consent).join('').includes('\0'))
    return { message: 'consent_date or consent_source holds a NUL, which no text has' }
  return {
    address,
    language,
    newsletters: chosen,
    sections,
    cadence,
    ...consent,
  }
}

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter(Boolean)

const shown = (text: string): string => text.slice(0, 40).replace(/[^\p{L}\p{N}-]/gu, '?')
