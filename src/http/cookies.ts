import type { Request } from 'express'

/** The value of one cookie of the request; undefined where it is absent or twice there with different values. */
export function cookieOf(request: Request, name: string): string | undefined {
  const values = new Set(
    (request.get('cookie') ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1)),
  )
  const [value] = values
  return values.size === 1 ? value : undefined
}

interface CookieOptions {
  publicUrl: string
  maxAgeSeconds: number
  sameSite: 'lax' | 'strict'
}

/**
 * A Set-Cookie value: HttpOnly, whole host, Secure on https. With `__Host-` a subdomain cannot plant it; browsers
 * take that prefix on https alone, so on http loopback the name stands without.
 */
export function serializeCookie(name: string, value: string, options: CookieOptions): string {
  const attributes = [
    `${name}=${value}`,
    'Path=/',
    `Max-Age=${options.maxAgeSeconds}`,
    'HttpOnly',
    `SameSite=${options.sameSite === 'lax' ? 'Lax' : 'Strict'}`,
  ]
  if (isHttps(options.publicUrl)) attributes.push('Secure')
  return attributes.join('; ')
}

const isHttps = (publicUrl: string): boolean => publicUrl.startsWith('https://')

export const hostCookieName = (name: string, publicUrl: string): string =>
  isHttps(publicUrl) ? `__Host-${name}` : name
