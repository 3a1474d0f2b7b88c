import { Router } from 'express'
import type { Lifecycle } from '../lifecycle.ts'
import type { Services } from '../services/services.ts'

/**
 * `/healthz` says that the process is up and asks nobody. `/readyz` refuses only while starting or draining: a database
 * that is away for a moment must not take every web process out of its proxy at once, so the body tells of it instead.
 */
export function healthRoutes({ health }: Pick<Services, 'health'>, lifecycle: Lifecycle): Router {
  // A proxy keeps `/readyz` to those inside by its path: it must have no other.
  const router = Router({ caseSensitive: true, strict: true })
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'up' })
  })
  router.get('/readyz', async (_request, response) => {
    const state = lifecycle.state()
    response.status(state === 'ready' ? 200 : 503).json({ status: state, ...(await health.report()) })
  })
  return router
}
