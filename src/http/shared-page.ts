import { createHash } from 'node:crypto'
import type { RequestHandler, Response } from 'express'
import { LRUCache } from 'lru-cache'
import { isNotModified } from './feeds/feed-conditions.ts'

/**
 * For a minute a cache answers by itself, then while it asks anew, and for half an hour while we do not answer (RFC 5861):
 * together less than an hour, in which a withdrawn story could still be seen. Browsers ask each time, and are answered 304.
 */
const sharedControl = 'public, max-age=0, s-maxage=60, stale-while-revalidate=240, stale-if-error=1800'

/** Pages after it are the same for everybody who asks in one language; errors say otherwise for themselves. */
export const sharedPages: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') response.set('Cache-Control', sharedControl)
  next()
}

/** Sends a page, by its name where caches may keep it. */
export function sendPage(response: Response, html: string): void {
  response.type('html')
  if (response.get('Cache-Control') === sharedControl && response.statusCode === 200)
    sendNamed(response, html)
  else response.send(html)
}

/** Which text an address has had, and since which second, as far as this process knows. */
const known = new LRUCache<string, { etag: string; since: number }>({
  maxSize: 1_000_000,
  sizeCalculation: (_text, address) => address.length,
})

/**
 * No date of the story would do: what stands beside it changes too, such as what is most read. A second has the date of
 * one text alone: undefined where it was another's.
 */
function findLastModified(address: string, etag: string, now: Date): Date | undefined {
  const second = Math.floor(now.getTime() / 1_000) * 1_000
  const last = known.get(address)
  if (last?.etag === etag) return new Date(last.since)
  if (last && last.since >= second) return undefined
  known.set(address, { etag, since: second })
  return new Date(second)
}

/** Sends a text with a name and a date, or 304 to whoever has it. */
export function sendNamed(response: Response, text: string): void {
  const { headers, originalUrl } = response.req
  const etag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  const { language = '' } = response.locals as { language?: string }
  const now = new Date()
  const lastModified = findLastModified(`${language} ${originalUrl}`, etag, now)
  // Node's own Date may be a second behind, and no text is younger than its answer.
  response.set({ ETag: etag, Date: now.toUTCString() })
  if (lastModified) response.set('Last-Modified', lastModified.toUTCString())
  if (isNotModified(headers, { etag, ...(lastModified && { lastModified }) })) response.status(304).end()
  else response.send(text)
}
