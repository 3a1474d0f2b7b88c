import { z } from 'zod'
import { roles } from '../../domain/editor.ts'
import { del, get, post, rowId, type ApiRoute } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const role = z.enum(roles)
const key = z.object({
  id: z.int(),
  name: z.string(),
  role,
  prefix: z.string().describe('The first characters, to tell keys apart'),
  maker: z.string().nullable().describe('Address of the editor whose key it is; null: of the command line'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  usedAt: z.iso.datetime().nullable(),
})

export function keyApi({ keys }: Services): ApiRoute[] {
  return [
    get('/keys', 'admin', {
      summary: 'Keys in use',
      answers: { 200: z.object({ data: z.array(key), next: z.null() }) },
      handle: async () => ({ body: { data: await keys.list(), next: null } }),
    }),
    post('/keys', 'admin', {
      summary: 'Create a key; the answer shows it this once',
      body: z.strictObject({
        name: z.string().trim().min(1).max(100),
        role,
        expiresAt: z.iso
          .datetime({ offset: true })
          .nullable()
          .optional()
          .describe('A year from now where it is absent; null: never'),
      }),
      answers: { 201: key.extend({ key: z.string() }) },
      handle: async ({ body: { expiresAt, ...wanted }, actor }) => {
        const created = await keys.create(
          { ...wanted, expiresAt: typeof expiresAt === 'string' ? new Date(expiresAt) : expiresAt },
          actor,
        )
        return { body: { ...created.record, key: created.key } }
      },
    }),
    del('/keys/{id}', 'admin', {
      summary: 'Revoke a key at once, and all keys that were made with it',
      params: z.strictObject({ id: rowId }),
      answers: { 204: 'Revoked' },
      handle: ({ params, actor }) => keys.revoke(params.id, actor),
    }),
  ]
}
