import { hourMs } from '../time.ts'

/** Activation mails to one person, over all newsletters. */
export const mailLimits = [
  { count: 3, hours: 24 },
  { count: 5, hours: 30 * 24 },
] as const

/** Mails with the link to the preferences, to one person. */
export const linksPerDay = 3

/** No limit looks further back. */
export const mailLimitHours = Math.max(...mailLimits.map(({ hours }) => hours))

/** Whether one more mail keeps within every limit. @param sent when the earlier ones were decided, in any order */
export const mayMail = (sent: Date[], now: Date): boolean =>
  mailLimits.every(({ count, hours }) => {
    const since = now.getTime() - hours * hourMs
    return sent.filter((at) => at.getTime() > since).length < count
  })
