import type { Article } from '../../domain/articles/article.ts'
import { changesOfArticle, type FeedChange } from '../../domain/feeds/feed.ts'
import type { Doorbell } from '../../queue/enqueue.ts'
import type { Stores } from '../../store/stores.ts'

/** After something that readers see has changed: feeds are rendered, and drafts follow. */
export async function ringForChange(doorbell: Doorbell): Promise<void> {
  await Promise.all([doorbell.ring('render-feeds', {}), doorbell.ring('refresh-drafts', {})])
}

/** What readers never saw changes no feed. */
export const noteChanges = (stores: Stores, articles: (Article | undefined)[]): Promise<void> =>
  stores.feedDocuments.markDirty(
    articles.flatMap((article) => (article?.firstPublicAt ? changesOfArticle(article) : [])),
  )

/** Newsletters that have sent it show less in their archives, or all of it again. */
export async function noteArchives(stores: Stores, article: Article): Promise<void> {
  const archives = await stores.digestArticles.updateArchives(article.id)
  await stores.feedDocuments.markDirty(
    archives.flatMap(({ digestId, newsletter }): FeedChange[] => [
      { subject: `newsletter:${newsletter}` },
      { subject: `digest:${digestId}` },
    ]),
  )
}
