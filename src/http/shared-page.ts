import { createHash } from 'node:crypto'
import type { RequestHandler, Response } from 'express'
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

/** Sends a text with a name, or 304 to whoever has it. */
export function sendNamed(response: Response, text: string): void {
  const etag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  response.set('ETag', etag)
  if (isNotModified(response.req.headers, { etag })) response.status(304).end()
  else response.send(text)
}
