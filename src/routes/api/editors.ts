import { z } from 'zod'
import { roles } from '../../domain/editor.ts'
import { del, get, patch, post, rowId, type ApiRoute } from '../../http/route.ts'
import type { EditorService } from '../../services/desk/editors.ts'

const role = z.enum(roles)
const editor = z.object({
  id: z.int(),
  email: z.string(),
  role,
  language: z.string(),
  author: z.string().nullable().describe('Slug of the author whose articles are theirs'),
  createdAt: z.iso.datetime(),
})
/** Who got hold of a key must not make themselves an editor with it. */
const answers = { 403: '`needs_person`: a key does not manage the people of the desk' }
const idParams = z.strictObject({ id: rowId })

export function editorApi(service: EditorService): ApiRoute[] {
  return [
    get('/editors', 'admin', {
      summary: 'The people of the desk',
      answers: { 200: z.object({ data: z.array(editor), next: z.null() }) },
      handle: async () => ({ body: { data: await service.list(), next: null } }),
    }),
    post('/editors', 'admin', {
      summary: 'Add someone to the desk; they sign in by a mailed one-time link',
      body: z.strictObject({ email: z.email().max(254), role, language: z.string().max(20).optional() }),
      answers,
      handle: async ({ body: { language, ...wanted }, actor }) => ({
        status: 201,
        body: await service.add({ ...wanted, ...(language && { language }) }, actor),
      }),
    }),
    patch('/editors/{id}', 'admin', {
      summary: 'Change a role, which ends their open sessions, or whose articles are theirs',
      params: idParams,
      body: z
        .strictObject({ role: role.optional(), author: z.string().max(100).nullable().optional() })
        .refine((body) => Object.keys(body).length === 1, 'must be a role or an author'),
      answers,
      handle: async ({ params: { id }, body: { role, author = null }, actor }) => ({
        body: await (role ? service.changeRole(id, role, actor) : service.changeAuthor(id, author, actor)),
      }),
    }),
    del('/editors/{id}', 'admin', {
      summary: 'Remove someone from the desk',
      params: idParams,
      answers,
      handle: async ({ params, actor }) => {
        await service.remove(params.id, actor)
        return { status: 204 }
      },
    }),
  ]
}
