import express, { Router, type Response } from 'express'
import { z, ZodError } from 'zod'
import { decode } from '../domain/articles/article-html.ts'
import { DomainError } from '../errors.ts'
import type { PublicForms } from '../http/public-forms.ts'
import { signupCost, type RateLimit } from '../http/rate-limit.ts'
import type { Services } from '../services/services.ts'

const bodyLimit = 32 * 1024

/** TrackBack, and the pingbacks of WordPress: both in XML, which says in its own words whether it was taken. */
export function trackbackRoutes(
  { trackbacks }: Pick<Services, 'trackbacks'>,
  { publicUrl, signupLimit, clientAddress, limit }: PublicForms & { limit: RateLimit },
): Router {
  const router = Router()
  const consume = (host: string) => limit.consume(host)

  // Also below the address that an article had before it came here.
  router.post(
    /\/trackback\/?$/,
    express.urlencoded({ extended: false, limit: bodyLimit }),
    async (request, response) => {
      const { pathname = '' } = URL.parse(request.originalUrl, publicUrl) ?? {}
      const path = pathname.slice(0, pathname.lastIndexOf('/trackback'))
      const refusal = await refusalOf(async () => {
        await signupLimit.consume(clientAddress(request), signupCost(false))
        await trackbacks.receive(new URL(publicUrl + path), request.body ?? {}, consume)
      })
      const told = refusal
        ? `<error>1</error><message>${escaped(refusal.message)}</message>`
        : '<error>0</error>'
      sendXml(response, `<response>${told}</response>`)
    },
  )

  router.post('/xmlrpc', express.text({ type: () => true, limit: bodyLimit }), async (request, response) => {
    const refusal = await refusalOf(async () => {
      await signupLimit.consume(clientAddress(request), signupCost(false))
      const { source, target } = readPing(String(request.body))
      await trackbacks.receive(target, { url: source }, consume)
    })
    const answer = refusal
      ? `<fault><value><struct>${member('faultCode', `<int>${faultCodes[refusal.code] ?? 0}</int>`)}${member(
          'faultString',
          `<string>${escaped(refusal.message)}</string>`,
        )}</struct></value></fault>`
      : '<params><param><value><string>Thank you: an editor decides about it.</string></value></param></params>'
    sendXml(response, `<methodResponse>${answer}</methodResponse>`)
  })
  return router
}

/** As the specification of pingback numbers them; 0 is for everything else. */
const faultCodes: Record<string, number> = {
  fetch_failed: 16,
  fetch_too_large: 16,
  address_refused: 16,
  no_link_here: 17,
  no_article: 32,
  responses_closed: 33,
  trackbacks_off: 33,
  trackback_known: 48,
  own_link: 49,
  too_many_requests: 49,
  no_method: -32601,
}

const address = z.url()

/** `pingback.ping` of two strings, which is all that is spoken here. */
function readPing(xml: string): { source: string; target: URL } {
  if (!/<methodName>\s*pingback\.ping\s*<\/methodName>/.test(xml))
    throw new DomainError('invalid', 'no_method', 'Only pingback.ping is spoken here.')
  const [source, target] = [...xml.matchAll(/<value>\s*(?:<string>)?([^<]*)/g)].map(([, text = '']) =>
    decode(text.trim()),
  )
  return { source: source ?? '', target: new URL(address.parse(target)) }
}

async function refusalOf(act: () => Promise<void>): Promise<{ code: string; message: string } | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (error instanceof DomainError) return error
    if (error instanceof ZodError)
      return { code: 'invalid_input', message: 'Give the address of your page, and of the article.' }
    throw error
  }
}

const member = (name: string, value: string) => `<member><name>${name}</name><value>${value}</value></member>`

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const sendXml = (response: Response, xml: string) =>
  response.type('text/xml').send(`<?xml version="1.0" encoding="utf-8"?>\n${xml}`)
