/** What a document in JSON holds, with a byte order mark or without; undefined for what is none. */
export function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}
