import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { playerHosts } from '../domain/articles/article-html.ts'

/** Of a page that holds a mail: it never runs or posts, and loads nothing but pictures, styles and faces. */
export const mailPolicy = (rest: string): string =>
  `default-src 'none'; img-src 'self' https: http: data:; style-src 'self' 'unsafe-inline'; font-src 'self'; ${rest}`

/**
 * For every answer. Scripts and styles come from our own files alone; article pictures may be anywhere.
 * Referrer-Policy is same-origin, because no-referrer makes browsers send forms with `Origin: null`.
 */
export function securityHeaders(publicUrl: string): RequestHandler {
  const isHttps = publicUrl.startsWith('https://')
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'https:', 'http:', 'data:'],
        fontSrc: ["'self'"],
        mediaSrc: ["'self'", 'https:', 'http:'],
        frameSrc: ["'self'", ...[...playerHosts].map((host) => `https://${host}`)],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        // Embedded signup forms live on other sites and post to us; ours post to ourselves.
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    // Of this host alone: what else there is below a newsroom's domain is not ours to speak for.
    strictTransportSecurity: isHttps ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
  })
}
