import { moved, moves } from '../order.ts'

/** A list that an editor has put together and in order. */
export interface PickedList {
  slug: string
  /** By language. */
  names: Record<string, string>
  articleIds: number[]
  /** Readers see it from the one to the other; null: always. */
  startsAt: Date | null
  endsAt: Date | null
  /** Whether it stands at the side of the front page. */
  onFront: boolean
}

export const pickPath = (slug: string): string => `/picks/${encodeURIComponent(slug)}`

export const isShown = ({ startsAt, endsAt }: PickedList, at: Date): boolean =>
  (startsAt === null || startsAt <= at) && (endsAt === null || endsAt > at)

/** When time alone changes what readers see of it. */
export const changesAt = ({ startsAt, endsAt }: PickedList, now: Date): Date | undefined =>
  [startsAt, endsAt].find((at) => at !== null && at > now) ?? undefined

export const pickSteps = [...moves, 'add', 'remove'] as const
export type PickStep = (typeof pickSteps)[number]

/** The order after one step of one article. */
export function stepped(order: readonly number[], id: number, step: PickStep): number[] {
  if (step !== 'add' && step !== 'remove') return moved(order, id, step)
  const rest = order.filter((one) => one !== id)
  return step === 'add' ? [...rest, id] : rest
}
