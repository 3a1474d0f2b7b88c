import { isLetter, type DraftChange } from '../../domain/digests/digest.ts'
import { pinsFor } from '../../domain/digests/digest-order.ts'
import { moved, moves } from '../../domain/order.ts'
import type { Stores } from '../../store/stores.ts'
import { listDue, type Draft } from './draft.ts'
import type { Parts } from '../parts.ts'

export const articleSteps = [...moves, 'pin', 'unpin', 'exclude', 'admit'] as const
export type ArticleStep = (typeof articleSteps)[number]

/** The change that one of the desk's buttons beside an article makes. */
export async function changeByStep(
  parts: Pick<Parts, 'now'>,
  stores: Stores,
  draft: Draft,
  { article, step }: { article: string; step: ArticleStep },
): Promise<DraftChange> {
  const { content, excluded, pinned: allPinned, chosen: own } = draft.digest
  const order = content?.articles.map(({ id }) => id) ?? []
  const pinned = order.filter((id) => allPinned.includes(id))
  const known = await stores.digestArticles.listExternalIds([...order, ...excluded])
  const chosen =
    [...order, ...excluded].find((id) => known.get(id) === article) ??
    (await stores.digestArticles.getIds([article]))[0]
  if (chosen === undefined) return {}
  const isOfLetter = isLetter(draft.digest) && own !== null
  switch (step) {
    case 'pin':
      if (isOfLetter && !order.includes(chosen)) return { chosen: [...own, chosen] }
      return { pinned: [...pinned, chosen] }
    case 'unpin':
      return { pinned: without(pinned, chosen) }
    case 'admit': {
      await stores.digestArticles.deleteExclusions(draft.newsletter.id, [chosen])
      const due = own ?? (await listDue(parts, stores, draft)).map(({ id }) => id)
      // One that was added by hand comes by no rule.
      const pin = due.includes(chosen) ? {} : { pinned: [...pinned, chosen] }
      return { excluded: without(excluded, chosen), ...pin }
    }
    case 'exclude':
      // What a letter leaves out stays in the newsletter's digests.
      if (isOfLetter) return { pinned: without(pinned, chosen), chosen: without(own, chosen) }
      return { pinned: without(pinned, chosen), excluded: [...excluded, chosen] }
    default:
      return pinAsOrdered(parts, stores, draft, moved(order, chosen, step))
  }
}

export async function pinAsOrdered(
  parts: Pick<Parts, 'now'>,
  stores: Stores,
  draft: Draft,
  order: number[],
): Promise<DraftChange> {
  const due = draft.digest.chosen ?? (await listDue(parts, stores, draft)).map(({ id }) => id)
  const isOrdered = (id: number) => order.includes(id)
  return { pinned: pinsFor(order, due.filter(isOrdered)) }
}

const without = (list: readonly number[], item: number): number[] => list.filter((other) => other !== item)
