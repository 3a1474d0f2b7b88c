import { z } from 'zod'
import { get, pageQuery, toPageRequest, type ApiRoute } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const entry = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  actor: z.string().describe('editor:3, key:7, cli or system'),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
})

export function auditApi({ audit }: Services): ApiRoute[] {
  return [
    get('/audit', 'admin', {
      summary: 'Who did what, newest first',
      query: z.strictObject({
        ...pageQuery,
        actor: z.string().max(100).optional().describe('`editor:3`, `key:7`, `cli` or `system`'),
        action: z.string().max(100).optional().describe('`digest.sent`'),
      }),
      answers: { 200: z.object({ data: z.array(entry), next: z.string().nullable() }) },
      handle: async ({ query: { actor, action, ...page } }) => ({
        body: await audit.list(toPageRequest(page), { actor, action }),
      }),
    }),
  ]
}
