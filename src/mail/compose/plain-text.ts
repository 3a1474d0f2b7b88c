import { onOneLine } from '../../domain/text.ts'

// Controls, line and paragraph separators, and the embeddings and overrides that would turn the text after them
// around; letter marks and isolates, which Arabic needs, stay.
const unsafe = /(?![\n\t])[\p{Cc}\u202a-\u202e\ufdd0-\ufdef\ufffe\uffff]/gu
const separators = /[\u2028\u2029]/g

/** Text that may be shown: well-formed, without characters that break a line, a parser or the direction of others. */
export const plainText = (text: string): string =>
  text.toWellFormed().replace(/\r\n?/g, '\n').replace(separators, '\n').replace(unsafe, '')

/** `plainText` on one line, for headers and headings. */
export const singleLine = (text: string): string => onOneLine(plainText(text))

/** The same JSON value with every string in it cleaned by `plainText`. */
export function cleanTexts<T>(value: T): T {
  if (typeof value === 'string') return plainText(value) as T
  if (Array.isArray(value)) return value.map(cleanTexts) as T
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, cleanTexts<unknown>(inner)]),
    ) as T
  }
  return value
}

/** Cut between words, with an ellipsis, to at most `length` characters; nothing is left where there is room for none. */
export function shorten(text: string, length: number): string {
  if (length <= 0) return ''
  const characters = Array.from(text)
  if (characters.length <= length) return text
  const cut = characters.slice(0, length - 1).join('')
  return `${cut.replace(/(?<!\s)\s+\S*$/, '') || cut}…`
}
