import type { RequestHandler } from 'express'
import { DomainError } from '../errors.ts'

/** RFC 9112, 3.2: a request with two Host fields means different things to a proxy and to us. @throws DomainError `two_hosts` */
export const oneHost: RequestHandler = (request, _response, next) => {
  const names = request.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host')
  if (names.length > 1) throw new DomainError('invalid', 'two_hosts', 'A request names one host.')
  next()
}

/** On one machine `localhost` and `127.0.0.1` are two sites to a browser: cookies of one are not the other's. */
export function ownName(publicUrl: string, isLoopbackUrl: (url: URL) => boolean): RequestHandler {
  const own = new URL(publicUrl)
  return (request, response, next) => {
    const host = request.get('host') ?? ''
    if (
      request.method !== 'GET' ||
      !isLoopbackUrl(own) ||
      host === own.host ||
      !URL.canParse(`http://${host}`)
    ) {
      next()
      return
    }
    const asked = new URL(`http://${host}`)
    if (isLoopbackUrl(asked) && asked.port === own.port)
      response.redirect(307, own.origin + request.originalUrl)
    else next()
  }
}
