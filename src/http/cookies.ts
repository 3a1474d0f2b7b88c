import type { Request } from 'express'

/** The value of one cookie of the request; undefined where it is absent or twice there with different values. */
export function cookieOf(request: Request, name: string, publicUrl: string): string | undefined {
  const start = `${hostName(name, publicUrl)}=`
  const values = new Set(
    (request.get('cookie') ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(start))
      .map((pair) => pair.slice(start.length)),
  )
  const [value] = values
  return values.size === 1 ? value : undefined
}

/**
 * A Set-Cookie value: HttpOnly, whole host, Secure on https. With `__Host-` a subdomain cannot plant it; browsers
 * take that prefix on https alone, so on http loopback the name stands without.
 */
export const serializeCookie = (
  name: string,
  value: string,
  { publicUrl, maxAgeSeconds }: { publicUrl: string; maxAgeSeconds: number },
): string =>
  [
    `${hostName(name, publicUrl)}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isHttps(publicUrl) ? ['Secure'] : []),
  ].join('; ')

const isHttps = (publicUrl: string): boolean => publicUrl.startsWith('https://')

const hostName = (name: string, publicUrl: string): string => (isHttps(publicUrl) ? `__Host-${name}` : name)
