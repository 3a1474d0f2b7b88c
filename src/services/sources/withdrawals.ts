import { needsPerson } from '../../domain/sources/withdrawal-brake.ts'
import type { SourceQuestion } from '../../domain/sources/source.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { StoredItem } from '../../store/sources/source-items.ts'
import type { Stores } from '../../store/stores.ts'
import { withdrawArticle } from '../articles/withdraw.ts'
import { tellDesk } from '../desk/tell-desk.ts'
import { LeaseLost, type Look, type LookParts } from './look.ts'

/**
 * Withdraws what is gone at the site, one by one, unless a person has to be asked.
 * @param gone what is here and the site does not show to everyone
 * @param isGone the site's own word, asked last
 */
export async function withdrawGone(
  parts: LookParts,
  look: Look,
  gone: StoredItem[],
  isGone: (item: StoredItem) => Promise<boolean>,
): Promise<void> {
  const { source } = look
  const { database } = parts
  const { sourceItems } = database.stores
  const counts = await sourceItems.count(source.id)
  const change = source.kind === 'wordpress' ? await look.findChange() : undefined
  const isMuch = needsPerson({
    wanted: gone.length,
    lastHour: counts.withdrawnLastHour,
    lastDay: counts.withdrawnLastDay,
    here: counts.here,
  })
  const question = source.question ?? change ?? (isMuch ? 'many' : undefined)
  if (question) {
    await sourceItems.markGone(
      source.id,
      gone.map(({ remoteId }) => remoteId),
    )
    await askPerson(parts, look, question)
    return
  }
  for (const item of gone) {
    if (!(await isGone(item))) {
      await sourceItems.markSeen(source.id, [item.remoteId])
      continue
    }
    const isDone = await database.transaction(async (stores) => {
      if (!(await stores.sources.updateProgress(source))) throw new LeaseLost()
      return withdrawItem(parts, stores, source.id, item)
    })
    if (isDone) look.counts.withdrawn += 1
  }
}

/** The desk hears of it by mail, once an hour at most: a site may come and go. */
export async function askPerson(
  { config, database, doorbell, now }: LookParts,
  { source: { id, name, question: before } }: Look,
  question: SourceQuestion,
): Promise<void> {
  if (before === question) return
  await database.transaction(async (stores) => {
    await stores.sources.updateQuestion(id, question)
    await tellDesk(stores, {
      notice: 'source_asks',
      values: { source: name },
      url: `${config.publicUrl}/desk/sources/${id}`,
      once: `source:${id}:${now().toISOString().slice(0, 13)}`,
    })
  })
  await doorbell.ring('deliver-mail', {})
}

/** @returns false for one that is scheduled: no reader has seen it, and it is withdrawn once it is public */
export async function withdrawItem(
  { config, now }: Pick<LookParts, 'config' | 'now'>,
  stores: Stores,
  sourceId: number,
  { remoteId, articleId }: StoredItem,
): Promise<boolean> {
  const article = articleId === undefined ? undefined : await stores.articles.find(articleId)
  if (article?.state === 'scheduled') return false
  if (article?.state === 'published') {
    await withdrawArticle(stores, article, {
      reason: translate(interfaceLanguageOf(article.language), 'site.withdrawn_there'),
      actor: `source:${sourceId}`,
      sourceId,
      now: now(),
      publicUrl: config.publicUrl,
    })
  }
  await stores.sourceItems.markState(sourceId, [remoteId], 'withdrawn')
  return true
}
