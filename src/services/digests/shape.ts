import { z } from 'zod'
import { deliveryStates, type DeliveryState } from '../../domain/delivery/delivery.ts'
import {
  digestKinds,
  digestReasons,
  digestStates,
  sentOf,
  variantKeyOf,
  type DeliveryCounts,
  type Digest,
  type VariantPlan,
} from '../../domain/digests/digest.ts'
import { contentFor, listStrayQuotes } from '../../domain/digests/digest-variant.ts'
import { show } from '../../domain/fields.ts'
import { cadences, type Newsletter } from '../../domain/newsletter.ts'
import { interfaceLanguageOf, scheduleInWords } from '../../locales.ts'
import type { WithdrawnReach } from '../../store/digests/variants.ts'
import type { Spread } from './spread.ts'

const count = z.int().min(0)
const counts = z
  .object(
    Object.fromEntries(deliveryStates.map((state) => [state, count])) as Record<DeliveryState, z.ZodInt>,
  )
  .describe('People by the state of their delivery; the sum is the audience')

const instant = z.iso.datetime().nullable()

/** A digest as the API shows it. */
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

export interface ShapeParts {
  digest: Digest
  newsletter: Newsletter
  variants: VariantPlan[]
  /** Of the articles that were withdrawn while this digest went out. */
  reached: WithdrawnReach[]
  counts: DeliveryCounts
  externalIds: Map<number, string>
  publicUrl: string
  spread?: Spread | null
}

export type DigestShape = z.output<typeof digestShape>

export function toDigestShape(parts: ShapeParts): DigestShape {
  const { digest, newsletter, variants, counts, externalIds, publicUrl, spread } = parts
  const reachOf = new Map(parts.reached.map((reach) => [reach.articleId, reach]))
  const readersOf = (articleId: number): number =>
    variants
      .filter((variant) => variant.articleIds.includes(articleId))
      .reduce((sum, variant) => sum + variant.readers, 0)
  const schedule = digest.localDate
    ? newsletter.schedules.find((one) => one.cadence === digest.cadence)
    : undefined
  const externalIdOf = (id: number): string => externalIds.get(id) ?? String(id)
  const blockOf = new Map(
    digest.content?.blocks.flatMap((block) => block.articleIds.map((id) => [id, block.kind] as const)) ?? [],
  )
  return show(digestShape, {
    ...digest,
    newsletter: newsletter.slug,
    cadence: digest.kind === 'letter' ? null : digest.cadence,
    schedule: schedule && scheduleInWords(interfaceLanguageOf(newsletter.language), schedule),
    retryAt: digest.probeAt,
    frozen: digest.frozenAt !== null,
    subject: digest.content?.subject ?? digest.subject,
    articles: (digest.content?.articles ?? []).map((article) => ({
      externalId: externalIdOf(article.id),
      title: article.title,
      url: article.url,
      block: blockOf.get(article.id) ?? 'articles',
      pinned: digest.pinned.includes(article.id),
      readers: reachOf.get(article.id)?.accepted ?? readersOf(article.id),
      inDoubt: reachOf.get(article.id)?.inDoubt ?? 0,
      withdrawnAt: reachOf.get(article.id)?.withdrawnAt,
    })),
    excluded: digest.excluded.map(externalIdOf),
    variants: variants.map(({ articleIds, readers }) => ({
      id: variantKeyOf(articleIds),
      readers,
      subject: digest.content && contentFor(digest.content, articleIds).subject,
      articles: articleIds.map(externalIdOf),
    })),
    strayQuotes: (digest.content ? listStrayQuotes(digest.content, variants) : []).map((quote) => ({
      ...quote,
      article: externalIdOf(quote.articleId),
    })),
    audience: digest.audience ?? variants.reduce((sum, variant) => sum + variant.readers, 0),
    counts,
    ...sentOf(counts),
    // Found out for one digest, not for lists.
    sendingTime: null,
    spread: spread && { ...spread, offered: spread.isOffered, running: spread.isRunning },
    approval: { ...digest, rule: newsletter.approval, dueAt: digest.approvalDueAt },
    url: `${publicUrl}/digests/${digest.id}`,
    asOf: digest.audience === null ? digest.refreshedAt : null,
  })
}
