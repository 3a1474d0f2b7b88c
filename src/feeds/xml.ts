import { withoutUndefined } from '../domain/fields.ts'

/** An XML element as text: attributes that are undefined are left out; no content makes an empty element. */
export function element(
  name: string,
  attributes: Record<string, string | number | undefined>,
  content?: string,
): string {
  const pairs = Object.entries(withoutUndefined(attributes))
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('')
  return content === undefined ? `<${name}${pairs}/>` : `<${name}${pairs}>${content}</${name}>`
}

export const textElement = (name: string, text: string): string => element(name, {}, escapeXml(text))

const references: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser would turn these into a space or a line feed.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** For content and attributes alike. What XML cannot hold must be gone before: see `cleanText`. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"\t\n\r]/g, (character) => references[character] ?? character)
