/** Those about one digest, which the desk's start page shows as well. */
export const digestWarnings = [
  'digest_late',
  'digest_paused',
  'relay_refuses',
  'digest_uncertain',
  'audience_dropped',
  'rejects_high',
  'digest_spread',
  'spread_held',
  'same_address_twice',
] as const
export type DigestWarning = (typeof digestWarnings)[number]

/** What the desk is told by mail; the texts, and the values they name, stand in the locales under `mail.notices`. */
export const deskNotices = [
  ...digestWarnings,
  'digest_missed',
  'approval_due',
  'article_withdrawn',
  'policy',
  'complaints_high',
  'provider_test',
  'source_asks',
  'response_waits',
  'responses_many',
  /** For what this version does not know. */
  'generic',
] as const
export type DeskNotice = (typeof deskNotices)[number]

export interface NoticeText {
  notice: DeskNotice
  values: Record<string, string | number>
  /** On the desk: where one can act on it. */
  url: string
}
