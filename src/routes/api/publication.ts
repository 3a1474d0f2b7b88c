import type { Publication } from '../../domain/publication.ts'
import { get, patch, type ApiRoute } from '../../http/route.ts'
import { publicationInput } from '../../services/desk/publication-input.ts'
import type { PublicationService } from '../../services/desk/publication.ts'

export function publicationApi(service: PublicationService): ApiRoute[] {
  return [
    get('/publication', 'viewer', {
      summary: 'The publication and its settings',
      answers: { 200: publicationInput },
      handle: async () => ({ body: await service.get() }),
    }),
    patch('/publication', 'admin', {
      summary: 'Change settings; what is absent stays, null clears',
      body: publicationInput.partial(),
      answers: { 200: publicationInput },
      // JSON has no undefined.
      handle: async ({ body, actor }) => ({ body: await service.set(body as Partial<Publication>, actor) }),
    }),
  ]
}
