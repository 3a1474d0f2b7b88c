import { Router } from 'express'
import type { Services } from '../services/services.ts'

export function healthRoutes(_services: Services): Router {
  const router = Router()
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'up' })
  })
  return router
}
