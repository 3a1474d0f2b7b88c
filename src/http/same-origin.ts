import type { Request } from 'express'
import { forbidden } from '../errors.ts'

/**
 * Refuses a state change that another site made the browser send. Sec-Fetch-Site decides where the browser sends it
 * (all current ones do), else Origin; a client that sends neither is no browser with somebody's cookies.
 * @throws DomainError `cross_site`
 */
export function requireSameOrigin(request: Request, publicUrl: string): void {
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isForeign = site !== undefined ? site !== 'same-origin' : origin !== undefined && origin !== publicUrl
  if (!isForeign) return
  throw forbidden('cross_site', 'This form was sent from another site. Open the page here and send it again.')
}
