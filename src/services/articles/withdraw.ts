import type { Article } from '../../domain/articles/article.ts'
import { conflict } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import { tellDesk } from '../desk/tell-desk.ts'
import { noteArchives, noteChanges } from './public-change.ts'

interface Withdrawal {
  /** Readers see it. */
  reason: string
  actor: string
  /** Which alone may bring it back. */
  sourceId?: number
  now: Date
  publicUrl: string
}

/**
 * Takes a published article back, inside the caller's transaction. Ring for the change and for `deliver-mail` after it.
 * @throws DomainError `article_not_public`
 */
export async function withdrawArticle(
  stores: Stores,
  before: Article,
  { reason, actor, sourceId, now, publicUrl }: Withdrawal,
): Promise<Article> {
  if (!(await stores.articles.markWithdrawn(before.id, reason, now, sourceId))) throw notPublic()
  for (const { digestId, accepted } of await stores.variants.dropArticle(before.id)) {
    await tellDesk(stores, {
      notice: 'article_withdrawn',
      values: { digest: `#${digestId}`, article: before.title, count: accepted },
      url: `${publicUrl}/desk/digests/${digestId}`,
      once: `article:${before.id}:digest:${digestId}`,
    })
  }
  await stores.audit.insert(actor, 'article.withdrawn', `article:${before.externalId}`, { reason })
  return noteTurn(stores, before)
}

/** Brings back what a source has withdrawn. Readers who had it are told nothing. Undefined where it was not the source. */
export async function restoreArticle(
  stores: Stores,
  articleId: number,
  { sourceId, actor }: { sourceId: number; actor: string },
): Promise<Article | undefined> {
  if (!(await stores.articles.markRestored(articleId, sourceId))) return undefined
  const after = await stores.articles.find(articleId)
  if (!after) return undefined
  await stores.audit.insert(actor, 'article.restored', `article:${after.externalId}`)
  return noteTurn(stores, { ...after, state: 'withdrawn' })
}

async function noteTurn(stores: Stores, before: Article): Promise<Article> {
  const after = await stores.articles.getByExternalId(before.externalId)
  await noteChanges(stores, [before, after])
  await noteArchives(stores, after)
  return after
}

const notPublic = () =>
  conflict(
    'article_not_public',
    'Only a published article can be withdrawn; this one never was public: PUT it as a draft instead.',
  )
