import { Router } from 'express'
import { mediaNameOf } from '../domain/media.ts'
import type { Services } from '../services/services.ts'

/** Pictures of ours: what stands at an address never changes. */
export function mediaRoutes({ media }: Pick<Services, 'media'>): Router {
  const router = Router()
  router.get('/media/:name', async (request, response) => {
    const { name } = request.params
    const bytes = await media.getBytes(mediaNameOf(request.path))
    response.set({ 'Cache-Control': 'public, max-age=31536000, immutable', ETag: `"${name}"` })
    response.type(name.slice(name.lastIndexOf('.'))).send(bytes)
  })
  return router
}
