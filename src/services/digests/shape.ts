import {
  sentOf,
  variantKeyOf,
  type DeliveryCounts,
  type Digest,
  type VariantPlan,
} from '../../domain/digests/digest.ts'
import { contentFor, listStrayQuotes } from '../../domain/digests/digest-variant.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import { interfaceLanguageOf, scheduleInWords } from '../../locales.ts'
import type { WithdrawnReach } from '../../store/digests/variants.ts'
import type { Spread } from './spreading.ts'
import type { SendingTime } from './sending-time.ts'

const iso = (date: Date | null | undefined): string | null => date?.toISOString() ?? null

export interface ShapeParts {
  digest: Digest
  newsletter: Newsletter
  variants: VariantPlan[]
  /** Of the articles that were withdrawn while this digest went out. */
  reached: WithdrawnReach[]
  counts: DeliveryCounts
  externalIds: Map<number, string>
  publicUrl: string
  sendingTime?: SendingTime | null
  spread?: Spread | null
}

export type DigestShape = ReturnType<typeof toDigestShape>

/** A digest as the API shows it. */
export function toDigestShape(parts: ShapeParts) {
  const { digest, newsletter, variants, counts, externalIds, publicUrl } = parts
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
  return {
    id: digest.id,
    newsletter: newsletter.slug,
    kind: digest.kind,
    copyOf: digest.copyOf,
    cadence: digest.kind === 'letter' ? null : digest.cadence,
    localDate: digest.localDate,
    schedule: schedule ? scheduleInWords(interfaceLanguageOf(newsletter.language), schedule) : null,
    state: digest.state,
    resumeState: digest.resumeState,
    reason: digest.reason,
    relayAnswer: digest.relayAnswer,
    retryAt: iso(digest.probeAt),
    version: digest.version,
    contentHash: digest.contentHash,
    frozen: digest.frozenAt !== null,
    subject: digest.content?.subject ?? digest.subject,
    preheader: digest.preheader,
    intro: digest.intro,
    articles: (digest.content?.articles ?? []).map((article) => ({
      externalId: externalIdOf(article.id),
      title: article.title,
      url: article.url,
      block: blockOf.get(article.id) ?? 'articles',
      pinned: digest.pinned.includes(article.id),
      readers: reachOf.get(article.id)?.accepted ?? readersOf(article.id),
      inDoubt: reachOf.get(article.id)?.inDoubt ?? 0,
      withdrawnAt: iso(reachOf.get(article.id)?.withdrawnAt),
    })),
    excluded: digest.excluded.map(externalIdOf),
    variants: variants.map((variant) => ({
      id: variantKeyOf(variant.articleIds),
      readers: variant.readers,
      subject: digest.content ? contentFor(digest.content, variant.articleIds).subject : null,
      articles: variant.articleIds.map(externalIdOf),
    })),
    strayQuotes: (digest.content ? listStrayQuotes(digest.content, variants) : []).map(
      ({ text, articleId, title, readers }) => ({ text, article: externalIdOf(articleId), title, readers }),
    ),
    audience: digest.audience ?? variants.reduce((sum, variant) => sum + variant.readers, 0),
    counts,
    ...sentOf(counts),
    sendingTime: parts.sendingTime ?? null,
    spread: parts.spread ? toSpreadShape(parts.spread) : null,
    approval: {
      rule: newsletter.approval,
      approvedBy: digest.approvedBy,
      approvedAt: iso(digest.approvedAt),
      dueAt: iso(digest.approvalDueAt),
    },
    url: `${publicUrl}/digests/${digest.id}`,
    asOf: digest.audience === null ? iso(digest.refreshedAt) : null,
    sendAt: iso(digest.sendAt),
    expiresAt: iso(digest.expiresAt),
    createdAt: digest.createdAt.toISOString(),
    startedAt: iso(digest.startedAt),
    completedAt: iso(digest.completedAt),
  }
}

const toSpreadShape = ({ isOffered, isRunning, days, ...spread }: Spread) => ({
  ...spread,
  offered: isOffered,
  running: isRunning,
  days: days.map(({ at, readers }) => ({ at: at.toISOString(), readers })),
})
