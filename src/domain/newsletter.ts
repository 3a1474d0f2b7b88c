import { conflict } from '../errors.ts'

/** How often one subscription gets its newsletter; `alert` is alerts only. */
export const cadences = ['daily', 'weekly', 'alert'] as const
export type Cadence = (typeof cadences)[number]

/** When a newsletter goes out: a local time in an IANA zone, so that 07:00 stays 07:00 over a change of clocks. */
export type CadenceRule =
  | { cadence: 'daily'; time: string; zone: string }
  /** `weekday` is ISO: 1 is Monday. */
  | { cadence: 'weekly'; weekday: number; time: string; zone: string }
  /** An editor's breaking news; never more than `maxPerDay` a day. */
  | { cadence: 'alert'; maxPerDay?: number | undefined }

export type ScheduledCadenceRule = Exclude<CadenceRule, { cadence: 'alert' }>

/** A part of the mail, in the newsletter's order. What fits none of them follows under no heading. */
export type Block =
  | { kind: 'lead' }
  | { kind: 'section'; slug: string }
  | { kind: 'dossier'; slug: string }
  | { kind: 'most-read' }

export type ApprovalRule = 'none' | 'one' | 'four-eyes'

/** Whether a story that came in another newsletter may come again in this one. */
export type RepeatRule = 'never' | 'within-newsletter'

/**
 * `hidden`: offered nowhere, reached by its own page and the API. `paused`: nothing is composed or sent, its people stay.
 * `ended`: its subscriptions end, nobody can subscribe; its archive stays.
 */
export const newsletterStates = ['public', 'hidden', 'paused', 'ended'] as const
export type NewsletterState = (typeof newsletterStates)[number]

/** The standing publication that people subscribe to; it has one language. */
export interface Newsletter {
  id: number
  slug: string
  name: string
  description: string
  language: string
  /** Slugs. An article belongs if it is in any of them; all three empty means every article of the language. */
  sections: string[]
  dossiers: string[]
  tags: string[]
  blocks: Block[]
  /** Fewer due articles than this: the scheduled digest is skipped. */
  minArticles: number
  /** For each reader; what exceeds it is linked. */
  maxArticles: number
  /** Its own subject; null: the first headline. */
  subject: string | null
  approval: ApprovalRule
  repeats: RepeatRule
  cadences: CadenceRule[]
  /** `Name <address>` or an address; null: the installation's sender. */
  from: string | null
  /** An address; null: the installation's. */
  replyTo: string | null
  /** Markdown, mailed to whoever has just subscribed; null: no such mail. */
  welcome: string | null
  template: 'digest' | 'brief'
  /** Whether links to the newsroom's own pages say in mails which newsletter they stand in. */
  linkTags: boolean
  state: NewsletterState
  position: number
  /** Articles that became public before this are never due. */
  beganAt: Date
  createdAt: Date
  updatedAt: Date
}

export const newsletterPath = (slug: string): string => `/newsletters/${encodeURIComponent(slug)}`

/** Alerts of a newsletter in one local day, unless it says otherwise. */
export const defaultAlertsPerDay = 3

export const findCadence = <Kind extends Cadence>(
  newsletter: Pick<Newsletter, 'cadences'>,
  cadence: Kind,
): Extract<CadenceRule, { cadence: Kind }> | undefined =>
  newsletter.cadences.find(
    (rule): rule is Extract<CadenceRule, { cadence: Kind }> => rule.cadence === cadence,
  )

/** Those by which digests go out now: none while it is paused, or once it has ended. */
export const scheduledCadences = (
  newsletter: Pick<Newsletter, 'cadences' | 'state'>,
): ScheduledCadenceRule[] =>
  isResting(newsletter) ? [] : newsletter.cadences.filter((rule) => rule.cadence !== 'alert')

export const isResting = ({ state }: Pick<Newsletter, 'state'>): boolean =>
  state === 'paused' || state === 'ended'

/** Whether forms and lists that are not its own offer it. */
export const isOffered = ({ state }: Pick<Newsletter, 'state'>): boolean => state === 'public'

/** @throws DomainError `newsletter_paused`, `newsletter_ended` */
export function requireRunning(newsletter: Pick<Newsletter, 'state' | 'slug'>): void {
  const { state, slug } = newsletter
  if (!isResting(newsletter)) return
  const sentence =
    state === 'paused'
      ? `${slug} is paused: make it public or hidden before you compose or send.`
      : `${slug} has ended: nothing is sent, and nobody can subscribe any more.`
  throw conflict(`newsletter_${state}`, sentence)
}
