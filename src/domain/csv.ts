/**
 * A field of a CSV file that a spreadsheet will open: what it would run as a formula is text behind an apostrophe,
 * and what holds a separator is in quotes (RFC 4180).
 */
export function quoteCsv(value: string | number | boolean | Date | null): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '')
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
