import { sentenceOf } from '../../domain/sources/source.ts'
import { translate } from '../../locales.ts'
import type { StoredItem } from '../../store/sources/source-items.ts'
import type { Discovery } from './discover.ts'
import type { ReadItem } from './site.ts'
import type { SourceView } from './sources.ts'
import { conditionOf } from './sync.ts'

const orNull = (at: Date | undefined): string | null => at?.toISOString() ?? null

/** A source as the API and the command line show it. */
export const toShape = (source: SourceView) => ({
  id: source.id,
  kind: source.kind,
  url: source.url,
  home: source.home,
  name: source.name,
  state: source.state,
  sentence: translate('en', `desk.sources.says.${sentenceOf(conditionOf(source))}`),
  failure: source.failure ?? null,
  question: source.question ?? null,
  rings: source.rings ?? null,
  counts: {
    here: source.counts.here,
    skipped: source.counts.skipped,
    held: source.counts.held,
    missing: source.counts.missing,
    withdrawn: source.counts.withdrawn,
  },
  language: source.language ?? null,
  since: orNull(source.since),
  links: source.links ?? null,
  feedText: source.feedText ?? null,
  foundAt: orNull(source.foundAt),
  lookedAt: orNull(source.lookedAt),
  nextAt: source.pausedAt ? null : source.nextAt.toISOString(),
  pausedAt: orNull(source.pausedAt),
  createdAt: source.createdAt.toISOString(),
})

/** What is at an address, before it is followed. */
export const toPreview = ({ found, kinds, items }: Discovery) => ({
  kind: found.kind,
  kinds,
  url: found.url,
  home: found.home,
  name: found.name,
  articles: items.map(toPreviewed),
})

const toPreviewed = ({ title, link, publishedAt, article, reason }: ReadItem) => ({
  title,
  link: link ?? null,
  publishedAt: orNull(publishedAt),
  language: article?.input.language ?? null,
  sections: article?.input.sections ?? [],
  reason: reason ?? null,
})

/** One thing that a source has. */
export const toItemShape = (item: StoredItem) => ({
  id: item.remoteId,
  externalId: item.externalId ?? null,
  title: item.title,
  link: item.link ?? null,
  state: item.state,
  reason: item.reason ?? null,
  publishedAt: orNull(item.publishedAt),
  missingSince: orNull(item.missingSince),
  withdrawnAt: orNull(item.withdrawnAt),
  heldAt: orNull(item.heldAt),
})
