import { Router } from 'express'
import type { PublicForms } from '../http/public-forms.ts'
import { isWithin, type RateLimit } from '../http/rate-limit.ts'
import type { Services } from '../services/services.ts'

/** No ping says more; what comes behind is not kept. */
const mostBytes = 4_096

/** As WordPress understands it: no fault. Anything else makes it ring once more, and then never again. */
const thanks =
  '<?xml version="1.0"?>\n<methodResponse><params><param><value><struct>' +
  '<member><name>flerror</name><value><boolean>0</boolean></value></member>' +
  '<member><name>message</name><value><string>Thanks for the ping.</string></value></member>' +
  '</struct></value></param></params></methodResponse>\n'

/**
 * The doorbell of a site that is followed: XML-RPC pings and webhooks alike. Nothing in it is believed, and whoever
 * rings is thanked, whatever the token.
 */
export function pingRoutes(
  { sources }: Pick<Services, 'sources'>,
  { clientAddress, limit }: Pick<PublicForms, 'clientAddress'> & { limit: RateLimit },
): Router {
  const router = Router()
  // Where it cannot be counted, the ring is lost for the same reason, and that is logged.
  const hear = (token: string, client: string) =>
    sources.hearRing(token, (id) => isWithin(limit, `${id} ${client}`).catch(() => true))
  router.post('/ping/:token', (request, response) => {
    let head = ''
    const answer = () => {
      if (response.headersSent) return
      const isXmlRpc = /xml/i.test(request.get('content-type') ?? '') || /^\s*<(\?xml|methodCall)/.test(head)
      response.status(200).set('Cache-Control', 'no-store')
      if (isXmlRpc) response.type('text/xml').send(thanks)
      else response.json({ status: 'thanks' })
      // After the answer: whoever rings waits for nobody.
      void hear(request.params.token, clientAddress(request).limitKey)
    }
    request.on('data', (chunk: Buffer) => {
      if (head.length < mostBytes) head += chunk.toString('latin1', 0, mostBytes - head.length)
      else answer()
    })
    request.on('end', answer)
  })
  return router
}
