import { siteHostOf } from '../../domain/articles/identity.ts'
import { SiteMoved, type Look, type LookParts } from './look.ts'
import { withdrawGone } from './withdrawals.ts'
import { writeItems } from './write-items.ts'
import { hourMs } from '../../domain/time.ts'

/** A 304 is believed for so long, then the feed is read whole: WordPress compares its newest post alone. */
const trustMs = hourMs
const writeSize = 25

/** One look at a feed. What is in it no more is only old. @throws SiteMoved for the feed of another site */
export async function followFeed(parts: LookParts, look: Look): Promise<void> {
  const { source, site, context } = look
  const { sources, sourceItems } = parts.database.stores
  const isWhole =
    site.bypassCaches === true ||
    source.question !== undefined ||
    parts.now().getTime() - (source.readWholeAt?.getTime() ?? 0) >= trustMs
  const answer = await parts.sites.feed.read(site, isWhole ? undefined : source, {
    ...context,
    findIds: (names) => sourceItems.listByNames(source.id, names),
  })
  if (!answer) return
  if (source.home !== '' && siteHostOf(source.home) !== siteHostOf(answer.home)) throw new SiteMoved()
  const { since } = source
  const items = answer.items.filter((item) => !since || !item.publishedAt || item.publishedAt >= since)
  const known = await sourceItems.listByIds(
    source.id,
    items.map(({ remoteId }) => remoteId),
  )
  const wanted = items.filter((item) => {
    const before = known.get(item.remoteId)
    if (before?.state === 'here' && item.isProtected) look.gone.set(item.remoteId, before)
    // A text may change without an edit; what does not tell its edits is compared.
    const isSame =
      item.modifiedAt !== undefined && before?.modifiedAt?.getTime() === item.modifiedAt.getTime()
    return !look.gone.has(item.remoteId) && !(isSame && before.state !== 'withdrawn')
  })
  // The oldest first, so that they become public in their order.
  wanted.sort((a, b) => (a.publishedAt?.getTime() ?? 0) - (b.publishedAt?.getTime() ?? 0))
  for (let at = 0; at < wanted.length; at += writeSize) {
    await writeItems(parts, look, wanted.slice(at, at + writeSize), {})
  }
  if (look.gone.size > 0) {
    await withdrawGone(parts, look, [...look.gone.values()], () => Promise.resolve(true))
  } else if (source.question) await sources.updateQuestion(source.id, null)
  await look.save({
    etag: answer.etag ?? null,
    lastModified: answer.lastModified ?? null,
    ttlMinutes: answer.ttlMinutes ?? null,
    ...(isWhole && { readWholeAt: parts.now() }),
    ...(source.home === '' && { home: answer.home }),
    ...(!source.caughtUpAt && { caughtUpAt: parts.now() }),
  })
}
