import { foldUrl } from '../articles/identity.ts'

/** How a source is read: a WordPress by its public REST API, anything else by a feed. */
export const sourceKinds = ['wordpress', 'feed'] as const
export type SourceKind = (typeof sourceKinds)[number]

/**
 * Why a source withdraws nothing until a person has answered:
 * - `many`: more is gone than one takes away by hand
 * - `changed`: something is gone, and the site's languages or front page are not what they were
 * - `moved`: another home answers; nothing is read either
 */
export const sourceQuestions = ['many', 'changed', 'moved'] as const
export type SourceQuestion = (typeof sourceQuestions)[number]
export const sourceAnswers = ['withdraw', 'keep', 'same-site'] as const
export type SourceAnswer = (typeof sourceAnswers)[number]

/** Why a look failed: what a person has to know of it. */
export const sourceFailures = [
  'unreachable',
  'refused',
  'busy',
  'broken',
  'unreadable',
  'closed',
  'gone',
  'address',
  'failed',
] as const
export type SourceFailure = (typeof sourceFailures)[number]

export const sourceStates = [
  'following',
  'catching-up',
  'retrying',
  'closed',
  'needs-person',
  'paused',
] as const
export type SourceState = (typeof sourceStates)[number]

/** Why a source is looked at: its time has come, it rang, or a person wants it. */
export const lookReasons = ['clock', 'ring', 'person'] as const
export type LookReason = (typeof lookReasons)[number]

/** Where an item of a source is: an article here, skipped, withdrawn at the source, or kept here by a person. */
export const itemStates = ['here', 'skipped', 'withdrawn', 'kept'] as const
export type ItemState = (typeof itemStates)[number]

/** When an item was changed that does not tell; one that has no time at all is to be read again. */
export const unknownChange = new Date(0)

/** Clocks of sites count seconds, and may be some off. */
const settledMs = 5_000
/** Whether what was read now cannot have been changed once more at the time that it tells. */
export const isSettled = (modifiedAt: Date, now: Date): boolean =>
  Math.abs(now.getTime() - modifiedAt.getTime()) >= settledMs

/** What people look at of its items. */
export const itemLists = ['missing', 'withdrawn', 'held', 'skipped'] as const
export type ItemList = (typeof itemLists)[number]

/** What its state follows from. */
export interface SourceCondition {
  kind: SourceKind
  pausedAt: Date | undefined
  caughtUpAt: Date | undefined
  failures: number
  failure: SourceFailure | undefined
  question: SourceQuestion | undefined
  ttlMinutes: number | undefined
  /** When it last brought something. */
  foundAt: Date | undefined
}

/** Seconds after which what was gone is asked for again, before it is withdrawn. */
export const secondLook = 60

/** Looks in a row that say so before a site is called closed: a site in maintenance answers like one. */
const looksUntilClosed = 3

export function stateOf({ pausedAt, caughtUpAt, failures, failure, question }: SourceCondition): SourceState {
  if (pausedAt) return 'paused'
  if (question) return 'needs-person'
  const isClosed = failure === 'refused' || failure === 'closed' || failure === 'gone'
  if (isClosed && failures >= looksUntilClosed) return 'closed'
  if (failures > 0) return 'retrying'
  return caughtUpAt ? 'following' : 'catching-up'
}

const minute = 60
const hour = 60 * minute
/** A feed cannot ask to be left alone for longer. */
const longestTtl = 6 * hour
const longestRetry = 24 * hour

/** What a look has found out about the next one. */
export interface Outlook {
  /** There is more to read at once. */
  isUnfinished: boolean
  /** Something is gone, and is asked for again. */
  isMissing: boolean
  /** Seconds, as the site says. */
  retryAfter?: number | undefined
}

/** Seconds until a source is looked at again. */
export function pauseBefore(source: SourceCondition, outlook: Outlook, now: Date): number {
  const { kind, failures, question, foundAt, ttlMinutes } = source
  if (failures > 0) {
    const backOff = Math.min(2 ** (failures - 1), 60) * minute
    return Math.max(backOff, Math.min(outlook.retryAfter ?? 0, longestRetry))
  }
  if (outlook.isUnfinished) return 0
  if (question === 'moved') return hour
  if (outlook.isMissing && !question) return minute + 5
  const isQuiet = !foundAt || now.getTime() - foundAt.getTime() > 24 * hour * 1000
  const usual = kind === 'feed' || isQuiet ? 15 * minute : 5 * minute
  return Math.max(usual, Math.min((ttlMinutes ?? 0) * minute, longestTtl))
}

/** Ten thousand posts of a site that answers in a fifth of a second are still read within ten minutes. */
const longestRestMs = 2_000

/** How long a site is left alone after it has sent ten texts: it works for us half of the time, a slow one less. */
export const restMsAfter = (answeredInMs: number): number => Math.min(answeredInMs, longestRestMs)

/** Whether the site rings, from what was observed; undefined until something has arrived. */
export function ringsOf(observed: {
  foundByRingAt: Date | undefined
  foundByClockAt: Date | undefined
}): boolean | undefined {
  const { foundByRingAt, foundByClockAt } = observed
  if (!foundByRingAt && !foundByClockAt) return undefined
  return (foundByRingAt?.getTime() ?? 0) > (foundByClockAt?.getTime() ?? 0)
}

/** What tells a site from another one at the same address. */
export interface Face {
  home: string
  /** Its languages and what its front page shows, folded into one text. */
  face: string
}

/** Whether the page of an item is elsewhere than it was: all are, where a site has other permalinks or another host. */
export const isMoved = (seen: { link: string | undefined }, known: { link: string | undefined }): boolean =>
  seen.link !== undefined && known.link !== undefined && foldUrl(seen.link) !== foldUrl(known.link)

/** How a person is told that it is not the site it was; undefined where it is. A change of http to https is none. */
export function compareFaces(known: Face, seen: Face): 'moved' | 'changed' | undefined {
  if (foldUrl(known.home) !== foldUrl(seen.home)) return 'moved'
  return known.face === '' || known.face === seen.face ? undefined : 'changed'
}

/** Which sentence says what a person has to know, or do. */
export function sentenceOf(source: SourceCondition): string {
  const state = stateOf(source)
  if (state === 'needs-person') return `question_${source.question ?? 'many'}`
  // A feed does not say what is taken away.
  if (state === 'following' || state === 'closed') return `${state}_${source.kind}`
  return state === 'retrying' ? `retrying_${source.failure ?? 'failed'}` : state.replace('-', '_')
}
