import { lookBackHours } from '../../domain/digests/digest.ts'
import { isSettled } from '../../domain/sources/source.ts'
import type { SourceItem, StoredItem } from '../../store/sources/source-items.ts'
import type { SourceProgress } from '../../store/sources/sources.ts'
import type { Stores } from '../../store/stores.ts'
import type { ArticleToPut, PutResult } from '../articles/put-article.ts'
import { putArticles } from '../articles/put-articles.ts'
import { noteChanges } from '../articles/public-change.ts'
import { restoreArticle } from '../articles/withdraw.ts'
import { LeaseLost, type Look, type LookParts } from './look.ts'
import type { ReadItem } from './site.ts'
import { hourMs } from '../../domain/time.ts'

/**
 * Writes what was read, with how far that is, in one transaction: a worker that dies here has neither.
 * @throws LeaseLost
 */
export async function writeItems(
  parts: LookParts,
  look: Look,
  read: ReadItem[],
  progress: SourceProgress,
): Promise<void> {
  // A document that has an item twice means the last.
  const items = [...new Map(read.map((item) => [item.remoteId, backdate(item, parts.now())])).values()]
  const done = await parts.database.transaction(async (stores) => {
    if (!(await stores.sources.updateProgress(look.source, progress))) throw new LeaseLost()
    const known = await stores.sourceItems.listByIds(
      look.source.id,
      items.map(({ remoteId }) => remoteId),
    )
    const results = await putRead(parts, stores, look, { items, known })
    const rows = items.map((item) => rowOf(item, known.get(item.remoteId), results.get(item.remoteId)))
    await stores.sourceItems.put(look.source.id, rows)
    const restored = await restore(stores, look, rows)
    return { results: [...results.values()], rows, restored }
  })
  const { counts } = look
  for (const result of done.results) {
    if (!('error' in result) && result.outcome !== 'unchanged') counts[result.outcome] += 1
  }
  counts.skipped += done.rows.filter(({ state }) => state === 'skipped').length
  counts.restored += done.restored
}

/** What was saved once more in the second in which it was read is later than this, though the site tells the same time. */
function backdate(item: ReadItem, now: Date): ReadItem {
  if (!item.modifiedAt || isSettled(item.modifiedAt, now)) return item
  const modifiedAt = new Date(item.modifiedAt.getTime() - 1)
  const { article } = item
  if (!article?.source) return { ...item, modifiedAt }
  return { ...item, modifiedAt, article: { ...article, source: { ...article.source, modifiedAt } } }
}

interface Reading {
  items: ReadItem[]
  known: Map<string, StoredItem>
}

async function putRead(
  { config, now }: LookParts,
  stores: Stores,
  look: Look,
  { items, known }: Reading,
): Promise<Map<string, PutResult>> {
  const wanted = items.flatMap((item) => {
    const article = item.article && toPut(item.article, known.get(item.remoteId), { look, item, now: now() })
    return article ? { item, article } : []
  })
  await stores.selections.putMissing(wanted.flatMap(({ item }) => item.selections))
  const before = await stores.articles.listByIds(
    items.flatMap((item) => known.get(item.remoteId)?.articleId ?? []),
  )
  const results = await putArticles(
    stores,
    wanted.map(({ article }) => article),
    { publicUrl: config.publicUrl, now: now(), by: `source:${look.source.id}` },
  )
  const changed = results.flatMap((one) => ('id' in one && one.outcome !== 'unchanged' ? one.id : []))
  await noteChanges(stores, [...before, ...(await stores.articles.listByIds(changed))])
  const byExternalId = new Map(results.map((one) => [one.externalId, one]))
  return new Map(
    wanted.flatMap(({ item, article }) => {
      const result = byExternalId.get(article.externalId)
      return result ? [[item.remoteId, result] as const] : []
    }),
  )
}

/** A known item is its article, under whatever id that goes by now: a site may have moved to another host. */
function toPut(
  article: ArticleToPut,
  known: StoredItem | undefined,
  { look, item, now }: { look: Look; item: ReadItem; now: Date },
): ArticleToPut {
  const newsMs = lookBackHours.daily * hourMs
  const isYoung = (item.publishedAt?.getTime() ?? 0) > now.getTime() - newsMs
  return {
    ...article,
    externalId: known?.externalId ?? article.externalId,
    // What comes late, by a clock that ran late or after an outage, is due all the same; what was there before is not.
    isLive: true,
    isNews: look.source.caughtUpAt !== undefined && isYoung,
  }
}

/** What is kept of an item. What is an article here stays one, whatever it looks like there now. */
function rowOf(
  { article, selections: _, isProtected: _protected, ...item }: ReadItem,
  known: StoredItem | undefined,
  result: PutResult | undefined,
): SourceItem {
  if (article && result && 'id' in result) {
    return { ...item, articleId: result.id, state: 'here', reason: undefined }
  }
  const state = known?.articleId === undefined ? 'skipped' : known.state
  return { ...item, articleId: known?.articleId, state, reason: item.reason ?? 'unfit' }
}

/** What the source has withdrawn and shows again; what the desk withdrew stays so. */
async function restore(stores: Stores, { source }: Look, rows: SourceItem[]): Promise<number> {
  let restored = 0
  for (const { articleId } of rows.filter(({ state }) => state === 'here')) {
    const by = { sourceId: source.id, actor: `source:${source.id}` }
    if (articleId !== undefined && (await restoreArticle(stores, articleId, by))) restored += 1
  }
  return restored
}
