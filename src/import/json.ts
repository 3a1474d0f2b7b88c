import { cleanText } from '../domain/text.ts'

/** A line of a PHP that shows its warnings, or of a cache that signs its pages. */
const noise = /^(?:<br \/>|<b>.*<br \/>|<!--.*-->)$/

/**
 * What a document in JSON holds, with byte order marks or without; undefined for what is none. Warnings stand before it
 * or behind it, on lines of their own. Characters that no database holds, which JSON may escape, are left out.
 */
export function readJson(body: Buffer): unknown {
  const text = body.toString('utf8').replace(/^\uFEFF+/, '')
  return parse(text) ?? parse(withoutNoise(text)) ?? parse(lastOf(text))
}

const withoutNoise = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !noise.test(line))
    .join('\n')

const lastOf = (text: string): string =>
  text.slice(Math.max(text.lastIndexOf('\n['), text.lastIndexOf('\n{'), 0))

function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_name, value: unknown) => (typeof value === 'string' ? cleanText(value) : value))
  } catch {
    return undefined
  }
}
