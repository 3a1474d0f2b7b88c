import { promisify } from 'node:util'
import { CsvError, parse } from 'csv-parse'
import { findInterfaceLanguage } from '../../../domain/language.ts'
import type { Address } from '../../../domain/subscribers/address.ts'
import { readConsentDate } from '../../../domain/subscribers/consent-date.ts'
import { addressIn, trimCell, unquoteCsv } from '../csv-cells.ts'
import { findColumns, type ImportField } from '../../../domain/subscribers/import-columns.ts'
import {
  meaningOf,
  plainWord,
  readStatus,
  type ImportStatus,
  type StatusColumn,
} from '../../../domain/subscribers/import-status.ts'
import { cadences, isOffered, type Cadence, type Newsletter } from '../../../domain/newsletter.ts'
import { interfaceLanguageOf } from '../../../locales.ts'
import type { Stores } from '../../../store/stores.ts'
import { csvOptions, decoderOf, type CsvFormat } from './csv-format.ts'

/** One line of the file that names a person. */
export interface Row {
  address: Address
  language: string
  newsletters: Newsletter[]
  /** None was named, and this one is the first. */
  isDefault: boolean
  /** Slugs. */
  sections: string[]
  cadence: Cadence | undefined
  alerts: boolean
  pausedUntil: Date | undefined
  status: ImportStatus
  /** Words of its status columns, with what they mean here. */
  said: { column: string; word: string; means: string }[]
  consent: { givenAt: Date | undefined; source: string; basis: string }
  /** The date of consent was read day first, and could be month first. */
  isGuessedDate: boolean
}

/** What is wrong with a row: a text below `imports.problems`, and the word at fault, where it is no address. */
export interface Problem {
  line: number
  /** The column as the file names it. */
  field: string
  problem: string
  word?: string
}

/** What a row may name, and when it is read. */
export interface Offered {
  newsletters: Newsletter[]
  /** Slugs. */
  sections: Set<string>
  now: Date
}

export async function listOffered(stores: Stores, now: Date): Promise<Offered> {
  const sections = await stores.selections.list('section')
  return {
    newsletters: await stores.newsletters.list(),
    sections: new Set(sections.flatMap(({ slug, formerly }) => [slug, ...formerly])),
    now,
  }
}

export interface RawRow {
  /** Where it begins; the first line of the file is 1. */
  line: number
  cells: string[]
}

/**
 * Rows as they come, as many as a piece has, without the header; where the file cannot be read any further, that is the last. A line of
 * more than 64 kB is no subscriber; the rest of the file is not held in memory for it.
 */
export async function* readRows(
  pieces: AsyncIterable<Buffer>,
  { encoding, separator, skipped }: CsvFormat,
): AsyncGenerator<(RawRow | Problem)[]> {
  const rows: (RawRow | Problem)[] = []
  let lastLine = 0
  let records = 0
  // A stream that fails drops what it holds; taken here, each row before the fault is still read.
  const parser = parse({
    ...csvOptions,
    delimiter: separator,
    bom: true,
    on_record: (cells: string[], { lines }) => {
      records += 1
      const breaks = cells.reduce((n, cell) => (cell.includes('\n') ? n + cell.split('\n').length - 1 : n), 0)
      if (records > skipped) rows.push({ line: lines - breaks, cells })
      lastLine = lines
      return null
    },
  })
  // Told by the write that met it.
  parser.on('error', () => undefined)
  const write = promisify((text: string, done: (error?: Error | null) => void) => parser.write(text, done))
  const end = promisify((done: (error?: Error | null) => void) => parser.end(done))
  const decode = decoderOf(encoding)
  try {
    for await (const piece of pieces) {
      await write(decode(piece))
      yield rows.splice(0)
    }
    await write(decode())
    await end()
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    rows.push({ line: lastLine + 1, field: '', problem: 'broken', word: error.code })
  }
  yield rows
}

/** Reads the rows of one file: which column is what was found once. */
export function createRowReader(
  { header, columns }: Pick<CsvFormat, 'header' | 'columns'>,
  offered: Offered,
) {
  const names = header ?? ['email']
  const { fields, status } = findColumns(names, columns)

  return function readRow({ line, cells: raw }: RawRow): Row | Problem {
    const cells = raw.map((cell) => unquoteCsv(trimCell(cell)).trim())
    try {
      const cell = (field: ImportField): string => cells[fields[field] ?? -1] ?? ''
      return {
        address: addressOf(cell('email')),
        ...statusOf(status, cells),
        ...choicesOf(cell, offered),
        ...consentOf(cell, offered),
      }
    } catch (error) {
      if (!(error instanceof RowFault)) throw error
      const { field, problem, word } = error
      const column = names[fields[field as ImportField] ?? -1] ?? field
      return { line, field: column, problem, ...(word !== undefined && { word: shown(word) }) }
    }
  }
}

type Cell = (field: ImportField) => string

class RowFault extends Error {
  /** Of ours, or a column as the file names it. */
  readonly field: string
  readonly problem: string
  readonly word: string | undefined

  constructor(field: ImportField | { column: string }, problem: string, word?: string) {
    super(problem)
    this.field = typeof field === 'string' ? field : field.column
    this.problem = problem
    this.word = word
  }
}

function addressOf(text: string): Address {
  const address = addressIn(text)
  if (!address) throw new RowFault('email', 'email')
  return address
}

function statusOf(columns: StatusColumn[], cells: string[]): Pick<Row, 'status' | 'said'> {
  const read = readStatus(columns, cells)
  if ('fault' in read) throw new RowFault(read, read.fault, read.word)
  const said = read.said.map(({ column, word, means }) => ({
    column,
    word: shown(word),
    means: meaningOf[means],
  }))
  return { status: read.status, said }
}

function choicesOf(cell: Cell, offered: Offered) {
  const newsletters = newslettersOf(cell('newsletters'), offered)
  const sections = words(cell('sections'))
  const odd = sections.find((slug) => !offered.sections.has(slug))
  if (odd !== undefined) throw new RowFault('sections', 'section', odd)
  const cadence = cadences.find((known) => known === cell('cadence'))
  if (cell('cadence') && !cadence) throw new RowFault('cadence', 'cadence', cell('cadence'))
  const pausedUntil = cell('pausedUntil') === '' ? undefined : new Date(cell('pausedUntil'))
  if (pausedUntil && !(/^\d{4}-\d\d-\d\d/.test(cell('pausedUntil')) && pausedUntil.getTime() > 0))
    throw new RowFault('pausedUntil', 'paused_until', cell('pausedUntil'))
  return {
    newsletters,
    isDefault: words(cell('newsletters')).length === 0,
    language: languageOf(cell('language'), newsletters),
    sections,
    cadence,
    alerts: flagOf(cell('alerts')),
    pausedUntil,
  }
}

function newslettersOf(text: string, { newsletters }: Offered): Newsletter[] {
  const slugs = words(text)
  const fault = (problem: string, slug: string) => new RowFault('newsletters', problem, slug)
  for (const slug of slugs) {
    const named = newsletters.find((one) => one.slug === slug)
    if (!named) throw fault('newsletter', slug)
    if (named.state === 'ended') throw fault('newsletter_ended', slug)
  }
  const chosen =
    slugs.length > 0
      ? newsletters.filter((one) => slugs.includes(one.slug))
      : newsletters.filter(isOffered).slice(0, 1)
  if (chosen.length === 0) throw new RowFault('newsletters', 'no_newsletter')
  return chosen
}

/** As `fr-FR` or `ar_DZ` too. */
function languageOf(text: string, newsletters: Newsletter[]): string {
  if (text === '') return interfaceLanguageOf(newsletters[0]?.language ?? 'en')
  const language = findInterfaceLanguage(text.toLowerCase().replace('_', '-'))
  if (language === undefined) throw new RowFault('language', 'language', text)
  return language
}

function flagOf(text: string): boolean {
  const word = plainWord(text)
  if (['true', '1', 'yes', 'oui', 'vrai', 'نعم'].includes(word)) return true
  if (['', 'false', '0', 'no', 'non', 'faux', 'لا'].includes(word)) return false
  throw new RowFault('alerts', 'alerts', text)
}

function consentOf(cell: Cell, offered: Offered): Pick<Row, 'consent' | 'isGuessedDate'> {
  const text = cell('consentDate')
  const date = text === '' ? undefined : readConsentDate(text, offered.now)
  if (date && 'fault' in date) throw new RowFault('consentDate', date.fault, text)
  const nul = (['consentSource', 'consentBasis'] as const).find((field) => cell(field).includes('\0'))
  if (nul) throw new RowFault(nul, 'nul')
  return {
    consent: { givenAt: date?.at, source: cell('consentSource'), basis: cell('consentBasis') },
    isGuessedDate: date?.isGuess ?? false,
  }
}

const words = (text: string): string[] => text.split(/[\s,;|]+/).filter(Boolean)

/** No address, and nothing that would break a line: reports are read aloud and kept. */
const shown = (text: string): string => text.slice(0, 40).replace(/[^\p{L}\p{M}\p{N} ./:_-]/gu, '?')
