/** A UUID made of a hash of at least 128 bits in hex (RFC 9562, version 8): as permanent as what was hashed. */
export function uuidUrn(hash: string): string {
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`]
  return `urn:uuid:${[...parts, hash.slice(20, 32)].join('-')}`
}
