import { isDeepStrictEqual } from 'node:util'
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

type PlainRule = Exclude<CadenceRule, { cadence: 'alert' }>

/** When the digests of a cadence go out. Weekdays are ISO, times local, dates those of the zone. */
export type Schedule = { zone: string; skip: string[] } & (
  | { cadence: 'daily'; weekdays: number[]; times: string[] }
  | {
      cadence: 'weekly'
      weekday: number
      time: string
      /** Every so many weeks, counted from the week of `anchor`. */
      every: number
      anchor: string | null
      ofMonth: 1 | 2 | 3 | 4 | 'last' | null
    }
)

/** A part of the mail, in the newsletter's order. What fits none of them follows under no heading. */
export type Block =
  | { kind: 'lead' }
  | { kind: 'section'; slug: string }
  | { kind: 'dossier'; slug: string }
  | { kind: 'picks'; slug: string }
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
  /** What readers choose from; of the schedules no more than a first day and time. */
  cadences: CadenceRule[]
  schedules: Schedule[]
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

export const findCadence = <Kind extends Cadence>({ cadences }: Pick<Newsletter, 'cadences'>, kind: Kind) =>
  cadences.find((rule): rule is Extract<CadenceRule, { cadence: Kind }> => rule.cadence === kind)

const plain = (rule: PlainRule): Schedule =>
  rule.cadence === 'daily'
    ? { cadence: 'daily', weekdays: [1, 2, 3, 4, 5, 6, 7], times: [rule.time], zone: rule.zone, skip: [] }
    : { ...rule, every: 1, anchor: null, ofMonth: null, skip: [] }

const ruleOf = (schedule: Schedule): PlainRule => {
  const { zone } = schedule
  return schedule.cadence === 'daily'
    ? { cadence: 'daily', time: schedule.times[0] ?? '', zone }
    : { cadence: 'weekly', weekday: schedule.weekday, time: schedule.time, zone }
}

/** Whether a cadence's day and time say all of it. */
export const isPlain = (schedule: Schedule): boolean => isDeepStrictEqual(plain(ruleOf(schedule)), schedule)

/** The schedules of cadences: as `kept` has them where these say no more and nothing else, else plain ones. */
export const schedulesOf = (rules: readonly CadenceRule[], kept: readonly Schedule[] = []): Schedule[] =>
  rules
    .filter((rule) => rule.cadence !== 'alert')
    .map((rule) => kept.find((one) => isDeepStrictEqual(ruleOf(one), rule)) ?? plain(rule))

/** The cadences of schedules, with the alerts of `rules`, in the order in which readers see them. */
export const cadencesOf = (schedules: readonly Schedule[], rules: readonly CadenceRule[]): CadenceRule[] =>
  [...schedules.map(ruleOf), ...rules.filter((rule) => rule.cadence === 'alert')].sort(
    (a, b) => cadences.indexOf(a.cadence) - cadences.indexOf(b.cadence),
  )

/** Those by which digests go out now: none while it is paused, or once it has ended. */
export const runningSchedules = (newsletter: Pick<Newsletter, 'schedules' | 'state'>): Schedule[] =>
  isResting(newsletter) ? [] : newsletter.schedules

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
