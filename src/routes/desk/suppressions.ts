import { z } from 'zod'
import { isLiftable } from '../../domain/deliverability/suppression.ts'
import { get, idOf, post, type DeskRoute } from '../../http/desk.ts'
import { toPageRequest } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const listQuery = z.object({
  q: z.string().trim().max(254).default('').catch(''),
  cursor: z.string().max(2_000).optional(),
})

const pageSize = 50

/** Whom we never write to again, and why. */
export function suppressionsDesk({ suppressions }: Pick<Services, 'suppressions'>): DeskRoute[] {
  return [
    get('/suppressions', 'viewer', async ({ request, page }) => {
      const { q, cursor } = listQuery.parse(request.query)
      const found = await (q === ''
        ? suppressions.list(toPageRequest({ limit: pageSize, cursor }))
        : suppressions.find(q))
      const rows = found.data.map((row) => ({ ...row, isLiftable: isLiftable(row) }))
      page('desk/suppressions', { q, rows, next: found.next })
    }),
    post('/suppressions/:id/lift', 'admin', async ({ request, actor, redirect }) => {
      await suppressions.lift(idOf(request), actor)
      redirect('/suppressions', 'suppression-lifted')
    }),
  ]
}
