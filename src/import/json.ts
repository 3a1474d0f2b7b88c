/**
 * What a document in JSON holds, with byte order marks or without; undefined for what is none. A PHP that shows its
 * warnings prints them before it, and a line break.
 */
export function readJson(body: Buffer): unknown {
  const text = body.toString('utf8').replace(/^\uFEFF+/, '')
  return parse(text) ?? parse(text.slice(Math.max(text.lastIndexOf('\n['), text.lastIndexOf('\n{'), 0)))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
