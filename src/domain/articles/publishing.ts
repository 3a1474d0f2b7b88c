import { atField, conflict, invalid } from '../../errors.ts'
import type { Article } from './article.ts'

type Publishing = Pick<Article, 'state' | 'publishedAt' | 'firstPublicAt'>

export interface WantedPublishing {
  state: 'draft' | 'scheduled' | 'published' | undefined
  publishedAt: Date | undefined
  /** Imports: the article was public elsewhere since its publication date. */
  wasPublicElsewhere: boolean
}

/**
 * What an article becomes when an editor wants it so: published ahead of its date means scheduled, scheduled for a
 * time that has passed means published. `firstPublicAt` is set once and stays.
 * @throws DomainError `schedule_needs_date`, `article_is_public`
 */
export function publishingOf(
  wanted: WantedPublishing,
  before: Publishing | undefined,
  now: Date,
): Publishing {
  const state = wanted.state ?? (before?.state === 'withdrawn' ? 'withdrawn' : 'published')
  const publishedAt = wanted.publishedAt ?? before?.publishedAt
  const firstPublicAt = before?.firstPublicAt
  if (state === 'withdrawn') return { state, publishedAt, firstPublicAt }
  if (state === 'scheduled' && !wanted.publishedAt) {
    throw invalid(
      'schedule_needs_date',
      'A scheduled article needs the time to publish it at.',
      atField('publishedAt', 'is required when state is scheduled'),
    )
  }
  // What readers have seen does not silently disappear: withdrawing leaves a notice.
  if (firstPublicAt && state === 'draft') throw alreadyPublic()
  if (state === 'draft') return { state, publishedAt, firstPublicAt }
  const isAhead = publishedAt !== undefined && publishedAt > now
  if (firstPublicAt) {
    if (state === 'scheduled' && isAhead) throw alreadyPublic()
    return { state: 'published', publishedAt, firstPublicAt }
  }
  if (isAhead) return { state: 'scheduled', publishedAt, firstPublicAt: undefined }
  const since = publishedAt ?? now
  return { state: 'published', publishedAt: since, firstPublicAt: wanted.wasPublicElsewhere ? since : now }
}

const alreadyPublic = () =>
  conflict(
    'article_is_public',
    'This article is public already: withdraw it rather than taking it back to a draft or a schedule.',
  )
