import { z } from 'zod'
import { deliveryStates } from '../../domain/delivery/delivery.ts'
import { digestKinds, digestReasons, digestStates } from '../../domain/digests/digest.ts'
import { cadences } from '../../domain/newsletter.ts'

export const externalIds = z.array(z.string().min(1).max(200)).max(100)

const count = z.int().min(0)
export const counts = z
  .object(Object.fromEntries(deliveryStates.map((state) => [state, count])))
  .describe('People by the state of their delivery; the sum is the audience')

const instant = z.iso.datetime().nullable()

const outcome = {
  accepted: count,
  rejected: count.describe('Refused while it was sent'),
  returned: count.describe('Came back afterwards'),
  complaints: count,
  joined: count.describe('New readers of the newsletter'),
  left: count.describe('Readers who left the newsletter'),
}
export const digestReport = z.object({
  id: z.int(),
  subject: z.string(),
  startedAt: z.iso.datetime(),
  ...outcome,
})
export const newsletterReport = z.object({
  newsletter: z.string(),
  zone: z.string(),
  totals: z.object(outcome),
  days: z.array(z.object({ date: z.iso.date(), ...outcome })).describe('Oldest first'),
  digests: z.array(digestReport).describe('Newest first; `joined` and `left` until the next began'),
})

export const digestShape = z.object({
  id: z.int(),
  newsletter: z.string(),
  kind: z.enum(digestKinds),
  copyOf: z.int().nullable().describe('The first of the letters with the same words'),
  cadence: z.enum(cadences).nullable().describe('Null of a letter, which goes to all who are subscribed'),
  localDate: z.iso.date().nullable(),
  schedule: z.string().nullable().describe('When its newsletter goes out, in the words of its language'),
  state: z.enum(digestStates),
  resumeState: z.string().nullable(),
  reason: z.enum(digestReasons).nullable().describe('Why it is paused, skipped or missed'),
  relayAnswer: z
    .string()
    .nullable()
    .describe('What the SMTP server says of us, where it takes nothing of this digest'),
  retryAt: instant.describe('When a digest that paused itself asks the SMTP server again, by itself'),
  version: z.int().describe('Also the ETag; If-Match names it'),
  contentHash: z.string().nullable().describe('SHA-256 of everything that decides the bytes'),
  frozen: z.boolean(),
  subject: z.string().nullable(),
  preheader: z.string().nullable(),
  intro: z.string(),
  articles: z.array(
    z.object({
      externalId: z.string(),
      title: z.string(),
      url: z.url(),
      block: z.string(),
      pinned: z.boolean(),
      readers: count.describe('Who get it; of a withdrawn one, who surely have it'),
      inDoubt: count.describe('Who may have a withdrawn one: their mail was on its way'),
      withdrawnAt: instant.describe('When it was withdrawn from this digest, which goes on without it'),
    }),
  ),
  excluded: z.array(z.string()),
  variants: z.array(
    z.object({
      id: z.string(),
      readers: count,
      subject: z.string().nullable(),
      articles: z.array(z.string()),
    }),
  ),
  strayQuotes: z
    .array(
      z.object({
        text: z.enum(['subject', 'preheader', 'intro']),
        article: z.string(),
        title: z.string(),
        readers: count.describe('Who do not get the article'),
      }),
    )
    .describe(
      'Words of your own that quote the headline of an article which some readers do not get: the whole headline, or three of its words in a row of which two have four letters or more. Nothing is refused for it.',
    ),
  audience: count,
  counts,
  sent: count.describe('Accepted by their mail servers'),
  unsent: count.describe('Not sent it, or not yet; what was refused or is in doubt is neither'),
  sendingTime: z
    .object({
      rate: z.string().nullable().describe('SMTP_RATE; null where it is not set'),
      seconds: count.describe('Until the last reader may have it, with what waits now'),
      ahead: count.describe('Messages that wait now, without those of this digest'),
      fits: z.boolean().describe('Whether that is before it ends; whoever waits longer does not get it'),
    })
    .nullable()
    .describe(
      'How long it will take, by SMTP_RATE and at the pace of the last digests; null where neither tells, in lists, and where nothing is left to send',
    ),
  spread: z
    .object({
      domain: z.string().describe('Of the sender'),
      sentLately: count.describe('Digests that servers accepted from it in 30 days'),
      offered: z
        .boolean()
        .describe('More than 1,000 readers, and fewer accepted lately: it should be spread'),
      chosen: z.boolean().nullable().describe('What an editor answered'),
      running: z.boolean().describe('It is going out over days'),
      waiting: count.describe('Readers whose day has not come: `deferred` with the reason `spread`'),
      held: z
        .enum(['refusals', 'complaints'])
        .nullable()
        .describe('Why the last day was for no more readers than the day before'),
      days: z
        .array(z.object({ at: z.iso.datetime(), readers: count }))
        .describe('Those to come; before it is sent, as if it went at its time or now'),
    })
    .nullable()
    .describe(
      'Going out over days, the newest readers first; null where it is not offered, chosen or running',
    ),
  approval: z.object({
    rule: z.string(),
    approvedBy: z.string().nullable(),
    approvedAt: instant,
    dueAt: instant,
  }),
  url: z.url(),
  asOf: instant.describe(
    'When articles and readers of a digest that is not prepared yet were looked up; null after',
  ),
  sendAt: instant,
  expiresAt: instant,
  createdAt: z.iso.datetime(),
  startedAt: instant,
  completedAt: instant,
})

/** A draft that a call has made. */
export const created = (digest: { id: number; version: number }) => ({
  headers: { ETag: `"${digest.version}"`, Location: `/api/v1/digests/${digest.id}` },
  body: digest,
})

export const deliveryShape = z.object({
  subscriber: z.int(),
  email: z.string().nullable(),
  state: z.enum(deliveryStates),
  reason: z.string().nullable(),
  attempts: count,
  smtpAnswer: z.string().nullable(),
  acceptedAt: instant,
  nextAt: instant,
})
