import { hash } from 'node:crypto'
import { canonicalJson } from '../canonical-json.ts'
import { conflict, forbidden, preconditionFailed, preconditionRequired } from '../../errors.ts'
import { deliveryStates, type DeliveryState } from '../delivery/delivery.ts'
import { nameOfActor, type Actor } from '../editor.ts'
import type { FrozenDigest } from './frozen-digest.ts'
import type { ApprovalRule, Cadence } from '../newsletter.ts'
import { hourMs } from '../time.ts'

export const digestStates = [
  'draft',
  'approved',
  'scheduled',
  'preparing',
  'sending',
  'paused',
  'completed',
  'completed_with_uncertain',
  'cancelled',
  'missed',
  'skipped',
] as const
export type DigestState = (typeof digestStates)[number]

/** Why a digest stopped or was never sent. */
export const digestReasons = [
  // Paused
  'by_hand',
  'refused',
  'relay_refuses',
  'no_answer',
  'restored',
  'expired',
  // Skipped
  'nothing_new',
  'too_few',
  'no_readers',
  // Missed
  'late',
  'not_approved',
] as const
export type DigestReason = (typeof digestReasons)[number]

/** Where a paused digest goes on. */
export type ResumeState = 'scheduled' | 'preparing' | 'sending'

/** A version of a digest: the articles that `readers` people get. */
export interface VariantPlan {
  articleIds: number[]
  readers: number
}

/** A letter says what an editor wrote, beside some articles or none, to everyone who is subscribed. */
export const digestKinds = ['digest', 'letter'] as const
export type DigestKind = (typeof digestKinds)[number]

/** One sending of one newsletter. */
export interface Digest {
  id: number
  newsletterId: number
  kind: DigestKind
  /** The first of the letters with these words: who has one of them gets none of the others. */
  copyOf: number | null
  /** Of a letter it says nothing. */
  cadence: Cadence
  /** The scheduled day; null for alerts and digests composed by hand. */
  localDate: string | null
  /** Where a day has several scheduled ones. */
  localTime: string | null
  state: DigestState
  resumeState: ResumeState | null
  /** Why it is paused, skipped or missed. */
  reason: DigestReason | null
  /** What the relay said of us, where it takes nothing of this digest, and when it is asked again. */
  relayAnswer: string | null
  probeAt: Date | null
  /** Grows whenever the content or the state changes: the ETag. */
  version: number
  subject: string | null
  preheader: string | null
  intro: string
  pinned: number[]
  excluded: number[]
  chosen: number[] | null
  /** What goes out; of a draft, what would go out now. */
  content: FrozenDigest | null
  /** Hex. */
  contentHash: string | null
  frozenAt: Date | null
  approvedHash: string | null
  approvedBy: string | null
  approvedAt: Date | null
  approvalDueAt: Date | null
  changedBy: string | null
  audience: number | null
  /** What readers would get as long as it is not prepared, and when that was last looked up. */
  plans: VariantPlan[]
  refreshedAt: Date | null
  sendAt: Date | null
  expiresAt: Date | null
  /** What an editor answered to the offer to spread it over days. */
  spread: boolean | null
  /** How it is spread; null where all go at once, or nobody waits any more. */
  running: { portion: number; nextAt: Date; waiting: number; held: string | null } | null
  createdAt: Date
  startedAt: Date | null
  completedAt: Date | null
  /** Since when nobody can tell any more who got it; how many did is kept. */
  detailsEndedAt: Date | null
  /** When a story of it was last withdrawn, or came back, after it went out. */
  archiveChangedAt: Date | null
}

/** What an editor may change of a draft; null goes back to the newsletter's rules, what is absent stays. */
export type DraftChange = {
  [Name in 'subject' | 'preheader' | 'intro' | 'pinned' | 'excluded' | 'chosen']?: Digest[Name] | undefined
}

/** How far back a digest looks at least for articles that became public, in hours. */
export const lookBackHours = { daily: 48, weekly: 8 * 24, alert: 48 } as const satisfies Record<
  Cadence,
  number
>

/** A scheduled digest that could not start within this is missed: news would come as if new. */
export const maxLatenessMs = 2 * hourMs

/** Deferred mail is given up then, or when the next scheduled digest is due. */
export const lifetimeMs = 24 * hourMs

/** What each action may start from. */
const startsOf = {
  change: ['draft', 'approved', 'scheduled'],
  test: ['draft', 'approved', 'scheduled'],
  approve: ['draft'],
  schedule: ['draft', 'approved', 'scheduled'],
  send: ['draft', 'approved', 'scheduled'],
  spread: ['draft', 'approved', 'scheduled', 'sending', 'paused'],
  pause: ['scheduled', 'preparing', 'sending'],
  resume: ['paused'],
  resend: ['sending', 'paused', 'completed_with_uncertain'],
  leave: ['sending', 'paused', 'completed_with_uncertain', 'cancelled'],
  cancel: ['draft', 'approved', 'scheduled', 'preparing', 'sending', 'paused'],
} as const satisfies Record<string, readonly DigestState[]>
export type DigestAction = keyof typeof startsOf
export const digestActions = Object.keys(startsOf) as DigestAction[]

type Actionable = Pick<Digest, 'state'> & Partial<Pick<Digest, 'probeAt'>>

/** A digest that would go on by itself can be paused by hand, although it is paused. */
export const mayDo = (digest: Actionable, action: DigestAction): boolean =>
  (startsOf[action] as readonly DigestState[]).includes(digest.state) ||
  (action === 'pause' && digest.state === 'paused' && digest.probeAt != null)

/** @throws DomainError `wrong_state` */
export function requireMayDo(digest: Actionable, action: DigestAction): void {
  if (mayDo(digest, action)) return
  throw conflict(
    'wrong_state',
    `A digest that is ${digest.state} cannot ${action}; that works from ${startsOf[action].join(', ')}.`,
  )
}

export const isExpired = ({ expiresAt }: Pick<Digest, 'expiresAt'>, now: Date): boolean =>
  expiresAt !== null && expiresAt <= now

/** Resumed after its time, a digest would expire for everyone who waits for it. @throws DomainError `digest_expired` */
export function requireTimeLeft(digest: Pick<Digest, 'expiresAt'>, now: Date): void {
  if (!isExpired(digest, now)) return
  throw conflict(
    'digest_expired',
    'The time of this digest is over: nobody would get it any more. Resume it with extend to send it for 24 hours from now, or cancel it.',
  )
}

/** The version somebody looked at; `any` where a program asks for the change whatever came in meanwhile. */
export type SeenVersion = number | 'any' | undefined

/** @throws DomainError `if_match_required`, `version_changed` */
export function requireVersion(digest: Pick<Digest, 'version'>, version: SeenVersion): void {
  if (version === 'any') return
  if (version === undefined) {
    throw preconditionRequired(
      'if_match_required',
      'Send If-Match with the ETag of the digest you looked at, so that nothing else goes out.',
    )
  }
  if (version === digest.version) return
  throw preconditionFailed(
    'version_changed',
    'The digest has changed since you looked at it: read it again, then decide.',
  )
}

export const isApproved = (digest: Pick<Digest, 'contentHash' | 'approvedHash'>, rule: ApprovalRule) =>
  rule === 'none' || (digest.approvedHash !== null && digest.approvedHash === digest.contentHash)

/** @throws DomainError `approval_needed` */
export function requireApproved(digest: Digest, rule: ApprovalRule): void {
  if (isApproved(digest, rule)) return
  const who = rule === 'four-eyes' ? 'another editor than the last one who changed it' : 'an editor'
  throw conflict('approval_needed', `This newsletter's digests are approved first, by ${who}.`)
}

export const mayApprove = (digest: Digest, rule: ApprovalRule, actor: Actor): boolean =>
  rule !== 'four-eyes' || digest.changedBy !== nameOfActor(actor)

/** @throws DomainError `four_eyes` */
export function requireMayApprove(digest: Digest, rule: ApprovalRule, actor: Actor): void {
  if (mayApprove(digest, rule, actor)) return
  throw forbidden('four_eyes', 'You changed this digest last: somebody else must approve it.')
}

export const isLetter = ({ kind }: Pick<Digest, 'kind'>): boolean => kind === 'letter'

/** A letter has a subject, and words or articles; any other digest has articles. */
export function isWritten(digest: Pick<Digest, 'kind' | 'subject' | 'intro' | 'content'>): boolean {
  const hasArticles = digest.content !== null && digest.content.articles.length > 0
  return isLetter(digest)
    ? digest.subject !== null && (hasArticles || digest.intro.trim() !== '')
    : hasArticles
}

/** @throws DomainError `letter_unfinished` */
export function requireFinished(digest: Digest): void {
  if (!isLetter(digest) || isWritten(digest)) return
  const sentence = 'A letter needs a subject, and words of your own or an article: write them first.'
  throw conflict('letter_unfinished', sentence, { field: digest.subject === null ? 'subject' : 'intro' })
}

/**
 * What a digest says, under the day on which it goes: today's, or the one it is planned for. What was sent before its
 * time, or drafted days ago, says the day it went.
 */
export function asSent(
  content: FrozenDigest,
  { sendAt, startedAt }: Pick<Digest, 'sendAt' | 'startedAt'>,
  now: Date,
): FrozenDigest {
  const at = sendAt && !(startedAt && startedAt < sendAt) ? sendAt : (startedAt ?? now)
  return { ...content, date: at.toISOString() }
}

/** What an approval is bound to. Hex. */
export const contentHashOf = (content: FrozenDigest): string => hash('sha256', canonicalJson(content))

/** Names a variant by what it holds, before and after it is stored. */
export const variantKeyOf = (articleIds: readonly number[]): string =>
  hash('sha256', articleIds.join(',')).slice(0, 12)

/** People by the state of their delivery; the sum is the audience. */
export type DeliveryCounts = Record<DeliveryState, number>

/** Who has it, and who was not sent it, or not yet; what was refused or is in doubt is neither. */
export const sentOf = (counts: DeliveryCounts): { sent: number; unsent: number } => ({
  sent: counts.accepted,
  unsent:
    counts.pending + counts.claimed + counts.committing + counts.deferred + counts.skipped + counts.expired,
})

export const noCounts = (): DeliveryCounts =>
  Object.fromEntries(deliveryStates.map((state) => [state, 0])) as DeliveryCounts
