import type { IncomingMessage, ServerResponse } from 'node:http'
import { isFeedPath, type FoundFeed, type StoredFeed } from '../../domain/feeds/feed.ts'
import { DomainError } from '../../errors.ts'
import type { PollOutcome } from '../../services/feeds/polls.ts'
import { namesTwoHosts } from '../own-name.ts'
import { chooseEncoding, isNotModified, type FeedEncoding } from './feed-conditions.ts'

/** Where the front finds feeds. */
export interface FeedLookup {
  /** What is at hand, without waiting. */
  peek(path: string): FoundFeed | undefined
  /** @throws DomainError `not_found`; anything else means that it cannot be known now */
  read(path: string): Promise<FoundFeed>
}

interface FeedFrontOptions {
  feeds: FeedLookup
  /** An origin without a trailing slash. */
  publicUrl: string
  /** True where this GET is one too many of those counted together; seconds to wait are then said. */
  isLimited: (request: IncomingMessage, counted: string) => boolean
  /** @param path of a feed that exists */
  onPoll: (request: IncomingMessage, path: string, outcome: PollOutcome) => void
  onError: (error: unknown, path: string) => void
}

export type FeedFront = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

const retryAfterSeconds = 60
const unavailableSeconds = 30

/** Readers that are pages of another site are asked for this by their browser before they send validators. */
const preflight = {
  Allow: 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'If-None-Match, If-Modified-Since',
  'Access-Control-Max-Age': '86400',
}

/**
 * Answers every poll of a feed. A plain function on Node's own request and response, so that it can stand before
 * Express as well as in it: it compares validators itself (RFC 9110, with If-None-Match first), and sends ready bytes.
 */
export function createFeedFront(options: FeedFrontOptions): FeedFront {
  const { feeds, isLimited, onPoll } = options
  const prepare = createPreparer(options.publicUrl)

  const answer = (request: IncomingMessage, response: ServerResponse, found: FoundFeed) => {
    if (found.kind === 'moved') {
      sendText(response, 301, 'This feed has moved.', { Location: options.publicUrl + found.to })
      return
    }
    if (found.kind === 'retired') {
      sendText(response, 410, 'This feed has ended.')
      return
    }
    const { feed } = found
    const prepared = prepare(feed)
    if (isNotModified(request.headers, feed)) {
      onPoll(request, feed.path, 'notModified')
      response.writeHead(304, prepared.notModified).end()
      return
    }
    // Polls with validators of before are counted apart: what hammers without any refuses no reader that asks politely.
    if (isLimited(request, isConditional(request) ? `${feed.path}?` : feed.path)) {
      onPoll(request, feed.path, 'limited')
      sendText(response, 429, 'Too many requests without If-None-Match: keep the ETag and send it back.', {
        'Retry-After': String(retryAfterSeconds),
      })
      return
    }
    onPoll(request, feed.path, 'full')
    const encoding = chooseEncoding(request.headers['accept-encoding'])
    const { headers, bytes } = prepared[encoding]
    const isPerson = request.headers['sec-fetch-dest'] === 'document'
    response.writeHead(200, isPerson ? forPeople(headers) : headers)
    if (request.method === 'HEAD') response.end()
    else response.end(bytes)
  }

  const fail = (response: ServerResponse, error: unknown, path: string) => {
    if (error instanceof DomainError && error.kind === 'not_found') {
      sendText(response, 404, error.message)
      return
    }
    options.onError(error, path)
    sendText(response, 503, 'This feed cannot be read now; try again soon.', {
      'Retry-After': String(unavailableSeconds),
    })
  }

  return (request, response, next) => {
    const path = pathOf(toOriginForm(request))
    if (!isFeedPath(path) || namesTwoHosts(request)) {
      next()
      return
    }
    if (request.method === 'OPTIONS') {
      response.writeHead(204, preflight).end()
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'Feeds are read with GET and HEAD.', { Allow: preflight.Allow })
      return
    }
    const found = feeds.peek(path)
    if (found) {
      answer(request, response, found)
      return
    }
    feeds.read(path).then(
      (read) => {
        answer(request, response, read)
      },
      (error: unknown) => {
        fail(response, error, path)
      },
    )
  }
}

/** A proxy may ask for a whole URL (RFC 9112, 3.2.2): whoever comes after this, Express too, reads what follows the host. */
function toOriginForm(request: IncomingMessage): string {
  const { url = '/' } = request
  if (url.startsWith('/')) return url
  const path = url.replace(/^https?:\/\/[^/?]*\/?/i, '/')
  Object.assign(request, { url: path, originalUrl: path })
  return path
}

const isConditional = ({ headers }: IncomingMessage): boolean =>
  headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(`${text}\n`)
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': bytes.length,
    'X-Content-Type-Options': 'nosniff',
    'Access-Control-Allow-Origin': '*',
    'Cache-Control': status === 301 || status === 410 ? 'public, max-age=3600' : 'no-store',
    ...headers,
  })
  response.end(bytes)
}

/** A flat list of names and values, as `writeHead` takes it fastest. */
type HeaderList = string[]

interface Prepared extends Record<FeedEncoding, { headers: HeaderList; bytes: Buffer }> {
  notModified: HeaderList
}

/**
 * A browser that is led to a feed shows application/rss+xml as plain text; the same bytes as XML get their style.
 * Only browsers send Sec-Fetch-Dest, and what they get is not for shared caches: readers and proxies never meet it.
 */
function forPeople(headers: HeaderList): HeaderList {
  const changed: Record<string, string> = { 'Cache-Control': 'private, max-age=60' }
  const contentType = headers[headers.indexOf('Content-Type') + 1] ?? ''
  if (contentType.includes('xml')) changed['Content-Type'] = 'application/xml; charset=utf-8'
  const kept = headers.map((value, index) =>
    index % 2 === 1 ? (changed[headers[index - 1] ?? ''] ?? value) : value,
  )
  return [...kept, 'Content-Security-Policy', "default-src 'none'; style-src 'self'"]
}

const cacheControl = 'public, max-age=300, stale-while-revalidate=600, stale-if-error=86400'

/** The headers of a feed are made once for each version of it, not for each poll. */
function createPreparer(publicUrl: string): (feed: StoredFeed) => Prepared {
  const known = new WeakMap<StoredFeed, Prepared>()
  return (feed) => {
    const before = known.get(feed)
    if (before) return before
    const prepared = toPrepared(feed, publicUrl + feed.path)
    known.set(feed, prepared)
    return prepared
  }
}

function toPrepared(feed: StoredFeed, selfUrl: string): Prepared {
  const shared = Object.entries({
    ETag: feed.etag,
    'Last-Modified': feed.lastModified.toUTCString(),
    'Cache-Control': cacheControl,
    // Also to readers: from the copy that one of them has brought it, a cache would show a browser plain text.
    Vary: 'Accept-Encoding, Sec-Fetch-Dest',
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'ETag, Last-Modified',
  }).flat()
  const full = (bytes: Buffer, encoding?: FeedEncoding) => ({
    bytes,
    headers: [
      ...['Content-Type', feed.contentType],
      ...['Content-Length', String(bytes.length)],
      ...(encoding ? ['Content-Encoding', encoding] : []),
      ...shared,
      ...['X-Content-Type-Options', 'nosniff'],
      ...['Link', `<${selfUrl}>; rel="self"`],
    ],
  })
  return {
    notModified: shared,
    identity: full(feed.body),
    gzip: full(feed.gzip, 'gzip'),
    br: full(feed.br, 'br'),
  }
}
