import { z } from 'zod'
import { del, get, type ApiRoute } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const sample = z.object({
  articles: z.int(),
  newsletters: z.array(z.object({ name: z.string(), language: z.string() })),
  subscribers: z.int(),
  removable: z.boolean().describe('False once a server other than the mail catcher has taken mail from here'),
})

export function sampleApi({ sample: service }: Pick<Services, 'sample'>): ApiRoute[] {
  return [
    get('/sample', 'admin', {
      summary: 'The sample newsroom: what is left of it',
      answers: { 200: sample },
      handle: async () => ({ body: await service.get() }),
    }),
    del('/sample', 'admin', {
      summary: 'Remove the invented newsroom, with all subscribers of its newsletters',
      answers: { 204: 'Removed' },
      handle: ({ actor }) => service.remove(actor),
    }),
  ]
}
