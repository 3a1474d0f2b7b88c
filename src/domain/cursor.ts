import { invalid } from '../errors.ts'

/** One page of a list, newest first unless said otherwise. `next` opens the following page; null on the last. */
export interface Page<Item> {
  data: Item[]
  next: string | null
}

export interface PageRequest {
  /** Of what a client may ask for, `pageQuery` decides. */
  limit: number
  /** The keys of the last item of the page before: what the list is ordered by. */
  after: Cursor | undefined
}

/** The ordered keys of one item, as the list's statement compares them. */
export type Cursor = (string | number)[]

/** What the keys of a list are, in its order. */
export type CursorShape = readonly ('id' | 'time')[]

export const byId: CursorShape = ['id']

export const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify(cursor)).toString('base64url')

/**
 * A cursor only positions a reader inside a list they may read anyway, so it is not signed, but closed in form:
 * what comes out fits the list's statement.
 * @throws DomainError `invalid_cursor`
 */
export function decodeCursor(text: string, shape: CursorShape): Cursor {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    const isCursor =
      Array.isArray(value) &&
      value.length === shape.length &&
      shape.every((kind, at) => (kind === 'id' ? Number.isSafeInteger(value[at]) : isTime(value[at])))
    if (isCursor && encodeCursor(value as Cursor) === text) return value as Cursor
  } catch {
    // Falls through to the one answer for every cursor that is not ours.
  }
  throw invalid('invalid_cursor', 'This cursor is not one of ours; start again without it.')
}

const isTime = (value: unknown): boolean => {
  if (typeof value !== 'string' || !/^[1-9]\d{3}-/.test(value)) return false
  const time = new Date(value)
  return !Number.isNaN(time.getTime()) && time.toISOString() === value
}

/**
 * Cuts a page out of rows fetched with `limit + 1`.
 * @param keysOf what the list is ordered by, for one item
 */
export function toPage<Item>(rows: Item[], limit: number, keysOf: (item: Item) => Cursor): Page<Item> {
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { data, next: hasMore ? encodeCursor(keysOf(last)) : null }
}
