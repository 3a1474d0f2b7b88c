import { findAddress, type Address } from '../../domain/subscribers/address.ts'

/** What a spreadsheet would run as a formula, and what looks as if it had been kept from that already. */
const formula = /^'*[=+\-@\t\r]/

/**
 * A field of a CSV file that a spreadsheet will open: what it would run as a formula is text behind an apostrophe,
 * and what holds a separator is in quotes (RFC 4180).
 */
export function quoteCsv(value: string | number | boolean | Date | null): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '')
  const harmless = formula.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** The same field as it was, read by the rules of CSV before. */
export const unquoteCsv = (text: string): string =>
  text.startsWith("'") && formula.test(text) ? text.slice(1) : text

/** Without the space behind it, nor the quotation marks that this space has made a part of it. */
export const trimCell = (cell: string): string => cell.trim().replace(/^"(.*)"$/s, '$1')

/** As lists of members and address books write one: with a name before it, or with marks that nobody sees. */
export function addressIn(cell: string): Address | undefined {
  const text = cell.replace(/\p{Cf}/gu, '').trim()
  return findAddress(/^[^<>]{0,200}<(?:mailto:)?([^<>]{1,320})>$/i.exec(text)?.[1] ?? text)
}
