import { z } from 'zod'
import { roles } from '../../domain/editor.ts'
import { del, get, post, rowId, type ApiRoute } from '../../http/route.ts'
import type { InvitationService } from '../../services/desk/invitations.ts'

const role = z.enum(roles)
const invitation = z.object({
  id: z.int(),
  email: z.string(),
  role,
  invitedBy: z.string().nullable().describe('Address of whoever asked, or whose key did'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})

export function invitationApi(service: InvitationService): ApiRoute[] {
  return [
    get('/invitations', 'admin', {
      summary: 'Invitations to the desk that nobody has accepted yet',
      answers: { 200: z.object({ data: z.array(invitation), next: z.null() }) },
      handle: async () => ({ body: { data: await service.list(), next: null } }),
    }),
    post('/invitations', 'admin', {
      summary: 'Mail an invitation to the desk, or mail it again; the link before works no more',
      body: z.strictObject({ email: z.email().max(254), role }),
      answers: { 201: invitation, 403: '`needs_person`: a key asks no admin to the desk' },
      handle: async ({ body, actor }) => ({ body: await service.invite(body, actor) }),
    }),
    del('/invitations/{id}', 'admin', {
      summary: 'Withdraw an invitation',
      params: z.strictObject({ id: rowId }),
      answers: { 204: 'Withdrawn' },
      handle: ({ params, actor }) => service.withdraw(params.id, actor),
    }),
  ]
}
