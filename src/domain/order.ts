export const moves = ['up', 'down', 'top'] as const
export type Move = (typeof moves)[number]

const placesBy = { up: -1, down: 1, top: -Infinity }

/** The list with one item a place further up or down, or at the top; at the end it stays. */
export function moved(list: readonly number[], item: number, move: Move): number[] {
  const rest = list.filter((other) => other !== item)
  const to = Math.min(Math.max(list.indexOf(item) + placesBy[move], 0), rest.length)
  return rest.toSpliced(to, 0, item)
}
