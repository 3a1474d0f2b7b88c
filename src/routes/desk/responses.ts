import { z } from 'zod'
import { decidedStates } from '../../domain/responses/written-response.ts'
import { maskAddress } from '../../domain/subscribers/address.ts'
import { get, idOf, post, type DeskRoute } from '../../http/desk.ts'
import { rowId, toPageRequest } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const state = z.enum(decidedStates)
const listQuery = z.object({
  state: state.default('held').catch('held'),
  cursor: z.string().max(2_000).optional(),
  /** The one that was just decided about, and how: the next one has the focus. */
  after: rowId.optional().catch(undefined),
  done: state.optional().catch(undefined),
})
const decision = z.object({ do: state, state: state.default('held') })

const pageSize = 50

/** What was written on the public pages, for an editor to let through or refuse, one after the other. */
export function responsesDesk({ writtenResponses }: Pick<Services, 'writtenResponses'>): DeskRoute[] {
  return [
    get('/responses', 'viewer', async ({ request, page }) => {
      const { state, cursor, after, done } = listQuery.parse(request.query)
      const { data, next } = await writtenResponses.list(state, toPageRequest({ limit: pageSize, cursor }))
      const isNext = ({ id }: { id: number }) => after !== undefined && (id < after || done === 'held')
      const following = after === undefined ? undefined : (data.find(isNext) ?? data[0])
      page('desk/responses', {
        state,
        states: decidedStates,
        next,
        after,
        done,
        focused: following?.id,
        rows: data.map((row) => ({ ...row, address: row.address && maskAddress(row.address) })),
      })
    }),
    post('/responses/:id', 'editor', async ({ request, actor, redirect }) => {
      const { do: decided, state } = decision.parse(request.body)
      const { id } = await writtenResponses.decide(idOf(request), decided, actor)
      redirect(`/responses?state=${state}&after=${id}&done=${decided}`)
    }),
  ]
}
