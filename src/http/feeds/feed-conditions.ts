import type { IncomingHttpHeaders } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

export type FeedEncoding = 'identity' | 'gzip' | 'br'

interface Validators {
  /** Weak. */
  etag: string
  /** Whole seconds; a document without a date has only its tag. */
  lastModified?: Date
}

/**
 * Whether the client has this version already (RFC 9110, section 13): If-None-Match decides where it is given, else
 * If-Modified-Since. A client's Cache-Control changes nothing, for Node's fetch adds `no-cache` to every such request.
 */
export function isNotModified(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const given = headers['if-none-match']
  if (given !== undefined) return given === etag || hasTag(given, etag)
  const since = headers['if-modified-since']
  if (since === undefined || !lastModified) return false
  // All forms are in UTC, also the one that does not say so; a date that cannot be read compares as false.
  return lastModified.getTime() <= Date.parse(since.endsWith('GMT') ? since : `${since} GMT`)
}

/** Proxies that compress add these to the tags that pass through them. */
const suffix = /(?:-|;)(?:gzip|br|deflate|zstd)$/

function hasTag(list: string, etag: string): boolean {
  if (list.trim() === '*') return true
  const wanted = opaqueOf(etag)
  return list.split(',').some((tag) => opaqueOf(tag.trim()).replace(suffix, '') === wanted)
}

/** What stands between the quotation marks; weak and strong compare alike. */
const opaqueOf = (tag: string): string => tag.replace(/^W\//, '').replace(/^"|"$/g, '')

/** What clients write here is little: each header is read once. */
const chosen = new LRUCache<string, FeedEncoding>({ max: 100, memoMethod: negotiate })

/** The best of ours that the client takes; the body as it is where it takes none of them (RFC 9110, section 12.5.3). */
export const chooseEncoding = (accepted = ''): FeedEncoding =>
  accepted === '' ? 'identity' : chosen.memo(accepted)

/** Negotiator's types lack `preferred`: of equal qualities, our order decides. */
interface EncodingChoice {
  encoding(available: readonly FeedEncoding[], options: { preferred: FeedEncoding[] }): string | undefined
}

function negotiate(accepted: string): FeedEncoding {
  // RFC 9110, section 8.4.1.3.
  const header = accepted.replaceAll(/\bx-gzip\b/gi, 'gzip')
  const client: EncodingChoice = new Negotiator({ headers: { 'accept-encoding': header } })
  const best = client.encoding(['br', 'gzip', 'identity'], { preferred: ['br', 'gzip'] })
  return best === 'br' || best === 'gzip' ? best : 'identity'
}
