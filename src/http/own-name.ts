import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { isLoopback } from '../domain/loopback.ts'
import { invalid } from '../errors.ts'

/** RFC 9112, 3.2: a request with two Host fields means different things to a proxy and to us. */
export const namesTwoHosts = ({ rawHeaders }: IncomingMessage): boolean =>
  // Each poll comes by here: Node's own lists of fields would be made for this alone.
  rawHeaders.filter((text, index) => index % 2 === 0 && text.length === 4 && /^host$/i.test(text)).length > 1

/** @throws DomainError `two_hosts` */
export const oneHost: RequestHandler = (request, _response, next) => {
  if (namesTwoHosts(request)) throw invalid('two_hosts', 'A request names one host.')
  next()
}

/** On one machine `localhost` and `127.0.0.1` are two sites to a browser: cookies of one are not the other's. */
export function ownName(publicUrl: string): RequestHandler {
  const own = new URL(publicUrl)
  const isOnOneMachine = isLoopback(own.hostname)
  return (request, response, next) => {
    const asked = URL.parse(`http://${request.get('host') ?? ''}`)
    const isOther = asked && asked.host !== own.host && asked.port === own.port && isLoopback(asked.hostname)
    if (isOnOneMachine && request.method === 'GET' && isOther)
      response.redirect(307, own.origin + request.originalUrl)
    else next()
  }
}
