import type { IncomingHttpHeaders } from 'node:http'

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
  // A date that cannot be read compares as false.
  return lastModified.getTime() <= Date.parse(since)
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

const known = new Map<string, FeedEncoding>([
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate', 'gzip'],
  ['gzip', 'gzip'],
])

/** The best of ours that the client takes; the body as it is where it takes none of them. */
export function chooseEncoding(accepted: string | undefined): FeedEncoding {
  if (accepted === undefined || accepted === '') return 'identity'
  return known.get(accepted) ?? parseEncoding(accepted)
}

function parseEncoding(accepted: string): FeedEncoding {
  const qualities = new Map<string, number>()
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    qualities.set(name === 'x-gzip' ? 'gzip' : name, q === undefined ? 1 : Number(q.slice(2)) || 0)
  }
  const qualityOf = (name: FeedEncoding) =>
    qualities.get(name) ?? qualities.get('*') ?? (name === 'identity' ? Number.MIN_VALUE : 0)
  const ranked = (['br', 'gzip', 'identity'] as const)
    .map((name) => ({ name, q: qualityOf(name) }))
    .filter(({ q }) => q > 0)
    .sort((one, other) => other.q - one.q)
  // RFC 9110 allows to ignore a client that refuses everything.
  return ranked[0]?.name ?? 'identity'
}
