import express, { Router, type RequestHandler } from 'express'
import { providerNames, type EventKind, type ProviderName } from '../domain/deliverability/provider-event.ts'
import { invalid } from '../errors.ts'
import type { Services } from '../services/services.ts'

const longestBody = 1024 * 1024

/** Where hosted relays report to. Whoever is not one of them learns nothing but that. */
export function inboundRoutes(
  { providerEvents }: Pick<Services, 'providerEvents'>,
  onEvents: (provider: ProviderName, kind: EventKind, n: number) => void,
): Router {
  const router = Router()
  const open: RequestHandler = async (request, response, next) => {
    const name = providerNames.find((each) => each === request.params['provider'])
    if (name === undefined) {
      next('router')
      return
    }
    const provider = await providerEvents.open(name, String(request.params['token']))
    if (provider) {
      response.locals['provider'] = provider
      next()
    } else response.status(401).end()
  }
  const parse = express.raw({ limit: longestBody, type: () => true })
  router.post('/inbound/:provider/:token', open, parse, async (request, response) => {
    const provider = response.locals['provider'] as NonNullable<
      Awaited<ReturnType<typeof providerEvents.open>>
    >
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const counts = await providerEvents.receive(provider, {
      body,
      json: readJson(body),
      header: (name) => request.get(name),
    })
    for (const [kind, { n }] of counts ?? []) onEvents(provider.name, kind, n)
    response.status(counts ? 200 : 401).end()
  })
  return router
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw invalid('malformed_body', 'The body is not JSON.', { cause: error })
  }
}
