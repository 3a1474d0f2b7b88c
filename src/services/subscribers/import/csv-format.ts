import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { findColumns, type ColumnMap } from '../../../domain/subscribers/import-columns.ts'
import { invalid } from '../../../errors.ts'
import { addressIn, trimCell } from '../csv-cells.ts'

/** What an upload was found to be. */
export interface CsvFormat {
  /** As TextDecoder calls it. */
  encoding: string
  separator: string
  /** Rows before the first that names a person: `sep=`, the header. */
  skipped: number
  /** Undefined for a bare list of addresses. */
  header: string[] | undefined
  columns?: ColumnMap | undefined
}

/** What is counted while an upload comes in. */
export interface UploadFacts {
  /** Its beginning: as much as a header may be long. */
  head: Buffer
  isUtf8: boolean
}

export const headBytes = 64 * 1024
interface HeaderHints {
  columns?: ColumnMap | undefined
  /** Nothing is written yet: a column below whose unknown name an address stands is taken for theirs. */
  isTrial?: boolean
}

const separators = [',', ';', '\t', '|']
const shownHeader = { columns: 300, characters: 100 }

/** @throws DomainError `csv_header`, `not_csv` */
export function describeCsv(facts: UploadFacts, hints: HeaderHints = {}): CsvFormat {
  refuseOtherFiles(facts.head)
  const find = (given: HeaderHints) =>
    encodingsOf(facts)
      .map((encoding) => findHeader(facts.head, encoding, given))
      .find((format) => format !== undefined)
  // A name that is known in one encoding is better than a guess in a likelier one.
  const found = find({ columns: hints.columns }) ?? find(hints)
  if (!found) throw noHeader()
  return found
}

export const noHeader = () =>
  invalid(
    'csv_header',
    'The first line of the CSV names the columns, and `email` is one of them ("E-mail", "Adresse e-mail", "البريد الإلكتروني" … will do).',
  )

/** A decoder, which also makes one of the three ways to end a line, so that lines count the same for everyone. */
export function decoderOf(encoding: string): (bytes?: Buffer) => string {
  const decoder = new TextDecoder(encoding)
  let isReturnOpen = false
  return (bytes) => {
    const text = bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
    const whole = isReturnOpen ? `\r${text}` : text
    isReturnOpen = bytes !== undefined && whole.endsWith('\r')
    const settled = isReturnOpen ? whole.slice(0, -1) : whole
    return settled.includes('\r') ? settled.replace(/\r\n?/g, '\n') : settled
  }
}

export const csvOptions = {
  relax_column_count: true,
  skip_empty_lines: true,
  // Spreadsheets write separators for as many rows as were ever touched.
  skip_records_with_empty_values: true,
  record_delimiter: '\n',
  // What is trimmed on the right, too, may not go on behind a quotation mark, as `"Lina" <lina@reader.example>` does.
  ltrim: true,
  // One in the middle of a cell is a character like others: the rest of the file is not lost for it.
  relax_quotes: true,
  max_record_size: headBytes,
}

function refuseOtherFiles(head: Buffer) {
  const start = head.subarray(0, 4).toString('latin1')
  if (start !== 'PK\x03\x04' && start !== '\xd0\xcf\x11\xe0') return
  const sentence =
    'This is a workbook or a ZIP, not a CSV: in the spreadsheet choose "Save as" and "CSV UTF-8"; unpack a ZIP and import each of its files.'
  throw invalid('not_csv', sentence)
}

/** Likely encodings, the likeliest first; without a mark the bytes tell. */
function encodingsOf({ head, isUtf8 }: UploadFacts): string[] {
  if (head[0] === 0xff && head[1] === 0xfe) return ['utf-16le']
  if (head[0] === 0xfe && head[1] === 0xff) return ['utf-16be']
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return ['utf-8']
  const zeros = [0, 0]
  for (const [index, byte] of head.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1
  const [even = 0, odd = 0] = zeros
  // Separators, digits and Latin letters have one zero each; a stray NUL has not that many.
  if (Math.max(even, odd) > head.length / 20 && Math.min(even, odd) < Math.max(even, odd) / 10)
    return [even > odd ? 'utf-16be' : 'utf-16le']
  if (isUtf8) return ['utf-8']
  return isMac(head)
    ? ['macintosh', 'windows-1252', 'windows-1256']
    : ['windows-1252', 'windows-1256', 'macintosh']
}

/** Accented letters stand in Mac Roman where Windows has signs that no word holds, and the other way round. */
function isMac(head: Buffer): boolean {
  const count = (from: number, to: number) => head.filter((byte) => byte >= from && byte <= to).length
  return count(0x80, 0x90) + count(0x98, 0x9f) > count(0xc0, 0xff)
}

function findHeader(
  head: Buffer,
  encoding: string,
  { columns, isTrial }: HeaderHints,
): CsvFormat | undefined {
  // A character that was cut in the middle is no matter this far from the header.
  const text = decoderOf(encoding)(head)
  const [whole = '', named] = /^\uFEFF?sep=(.)\n/i.exec(text) ?? []
  const body = text.slice(whole.length).replace(/^\uFEFF/, '')
  const rows = (named === undefined ? separators : [named]).map((separator) => {
    const [cells = [], next = []] = firstRows(body, separator)
    const header = cells.slice(0, shownHeader.columns).map((name) => name.slice(0, shownHeader.characters))
    const guess = isTrial && !cells.some(addressIn) ? header[next.findIndex(addressIn)] : undefined
    const said: ColumnMap | undefined = guess ? { [guess]: 'email', ...columns } : columns
    return { separator, cells, header, columns: said }
  })
  const skippedBefore = named === undefined ? 0 : 1
  const withAddress = rows
    .map((row) => {
      const isNamed = findColumns(row.header, columns).fields.email !== undefined
      return isNamed ? { ...row, columns } : row
    })
    .filter((row) => findColumns(row.header, row.columns).fields.email !== undefined)
    .sort((one, other) => other.cells.length - one.cells.length)[0]
  if (withAddress) {
    const { separator, header } = withAddress
    return { encoding, separator, skipped: skippedBefore + 1, header, columns: withAddress.columns }
  }
  const bare = rows.find(
    ({ cells }) => cells.filter(Boolean).length === 1 && addressIn(cells[0] ?? '') !== undefined,
  )
  return bare && { encoding, separator: bare.separator, skipped: skippedBefore, header: undefined }
}

/** As many of the first two as can be read: what is wrong with the second is told when it is its turn. */
function firstRows(text: string, delimiter: string): string[][] {
  const rows: string[][] = []
  const keep = (cells: string[]) => {
    rows.push(cells.map(trimCell))
    return null
  }
  try {
    parse(text, { ...csvOptions, delimiter, to: 2, on_record: keep })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
  }
  return rows
}
