import { z } from 'zod'
import type { DeskRoute } from '../../http/desk.ts'
import { toPageRequest } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'
import { isLiftable } from '../../services/deliverability/suppressions.ts'

const listQuery = z.object({
  q: z.string().trim().max(254).default('').catch(''),
  cursor: z.string().max(2_000).optional(),
})
const idOf = (params: Record<string, unknown>): number =>
  z.coerce.number().int().positive().parse(params['id'])

const pageSize = 50

/** Whom we never write to again, and why. */
export function suppressionsDesk({ suppressions }: Pick<Services, 'suppressions'>): DeskRoute[] {
  return [
    {
      method: 'get',
      path: '/suppressions',
      role: 'viewer',
      handle: async ({ request, page }) => {
        const { q, cursor } = listQuery.parse(request.query)
        const found = await (q === ''
          ? suppressions.list(toPageRequest({ limit: pageSize, cursor }))
          : suppressions.find(q))
        const rows = found.data.map((row) => ({ ...row, isLiftable: isLiftable(row) }))
        page('desk/suppressions', { q, rows, next: found.next })
      },
    },
    {
      method: 'post',
      path: '/suppressions/:id/lift',
      role: 'admin',
      handle: async ({ request, actor, redirect }) => {
        await suppressions.lift(idOf(request.params), actor)
        redirect('/suppressions', 'suppression-lifted')
      },
    },
  ]
}
