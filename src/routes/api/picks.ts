import { z } from 'zod'
import { del, get, put, type ApiRoute } from '../../http/route.ts'
import { pickInput, slug } from '../../services/articles/input.ts'
import { pickShape } from '../../services/articles/picks.ts'
import type { Services } from '../../services/services.ts'

const params = z.strictObject({ slug })

export function pickApi({ picks }: Services): ApiRoute[] {
  return [
    get('/picks', 'viewer', {
      summary: 'Lists that editors have put together',
      answers: { 200: z.object({ data: z.array(pickShape), next: z.null() }) },
      handle: async () => {
        const data = await Promise.all((await picks.list()).map((one) => picks.toShape(one)))
        return { body: { data, next: null } }
      },
    }),
    get('/picks/{slug}', 'viewer', {
      summary: 'One of them',
      params,
      answers: { 200: pickShape },
      handle: async ({ params: { slug } }) => ({ body: await picks.toShape(await picks.get(slug)) }),
    }),
    put('/picks/{slug}', 'editor', {
      summary:
        'Create or replace picks: names, articles in order, from when to when, whether at the side of the front page',
      params,
      body: pickInput,
      answers: { 200: pickShape },
      handle: async ({ params: { slug }, body, actor }) => ({
        body: await picks.toShape(await picks.put(slug, body, actor)),
      }),
    }),
    del('/picks/{slug}', 'editor', {
      summary: 'Delete picks; their feeds end',
      params,
      answers: { 204: 'Deleted' },
      handle: ({ params: { slug }, actor }) => picks.delete(slug, actor),
    }),
  ]
}
