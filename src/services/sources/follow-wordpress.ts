import { setTimeout as pause } from 'node:timers/promises'
import { siteKeyOf } from '../../domain/articles/identity.ts'
import { isNight } from '../../domain/calendar.ts'
import { isMoved, restMsAfter, unknownChange, type SourceFailure } from '../../domain/sources/source.ts'
import type { StoredItem } from '../../store/sources/source-items.ts'
import type { Look, LookParts } from './look.ts'
import { SiteFault, type ItemMark, type ReadItem, type WordpressReader } from './site.ts'
import { withdrawGone } from './withdrawals.ts'
import { writeItems } from './write-items.ts'
import { dayMs, hourMs } from '../../domain/time.ts'

/** What WordPress gives at once. */
const listSize = 100
const readSize = 10
/** Read once more each time: local times that come twice in autumn, and what was saved while we looked. */
const overlapMs = 2 * hourMs
/** An address holds no more, at ten letters each. */
const mostExcepted = 500
/** Looks in a row that fail over a text: a site that is busy fails now and then. */
const looksUntilLeftOut = 3
/** Of these the lists, which are without texts, know nothing. */
const faultsOfPosts = new Set<SourceFailure>(['broken', 'unreadable', 'unreachable'])
/** Pages of a sweep in one look: ten thousand posts take an hour of the night. */
const sweepPages = 10

/** One look at a WordPress: what has changed, what its lists do not show any more, and at night everything. */
export async function followWordpress(parts: LookParts, look: Look): Promise<void> {
  // Versions before this one took scheduled stories of an export beside following.
  if (look.source.home !== '') await parts.database.stores.articles.markAwaited(siteKeyOf(look.source.home))
  if (look.source.question === 'moved') {
    await look.findChange()
    await parts.database.stores.sources.updateQuestion(look.source.id, null)
  }
  await readChanged(parts, look)
  if (look.isUnfinished) return
  if (!look.source.caughtUpAt) await look.save({ caughtUpAt: parts.now() })
  // By id, for what was dated back; by date, for what was scheduled long ago: the date of its last change is old.
  for (const by of ['id', 'date'] as const) await readNewest(parts, look, by)
  await readStale(parts, look)
  await sweep(parts, look)
  await settleGone(parts, look)
}

/**
 * By the time of the last change and not by pages, which an edit would shift: an article would be skipped. What comes
 * first is the oldest, so that whoever goes on after a crash has missed nothing.
 */
async function readChanged(parts: LookParts, look: Look): Promise<void> {
  const { source, site } = look
  const { wordpress } = parts.sites
  let since = new Date(Math.max(0, (source.cursorAt?.getTime() ?? 0) - overlapMs))
  let excepted: string[] = []
  const listed = new Set<string>()
  for (;;) {
    const marks = await wordpress.listChanged(site, since, excepted)
    await readAll(parts, look, marks, (mark) => {
      const at = mark.modifiedAt
      // A date to come is a mistake there, and would hide all that comes before it.
      const isTrue = at !== undefined && at.getTime() < parts.now().getTime() + dayMs
      return isTrue && (!source.cursorAt || at > source.cursorAt) ? at : undefined
    })
    const last = marks.at(-1)?.modifiedAt
    if (look.isUnfinished || marks.length < listSize || !last) return
    // One before 5.7 gives its oldest again and again, and so does one whose clock was set back: its times are local.
    if (marks.every(({ remoteId }) => listed.has(remoteId))) {
      // What is new it shows by id and by date, the rest at night.
      if (listed.size > mostExcepted || excepted.length === listed.size) return
      excepted = [...listed]
      continue
    }
    for (const { remoteId } of marks) listed.add(remoteId)
    const ofLast = marks.filter(({ modifiedAt }) => modifiedAt?.getTime() === last.getTime())
    const ids = ofLast.map(({ remoteId }) => remoteId)
    excepted = last.getTime() === since.getTime() ? [...excepted, ...ids] : ids
    since = last
    // The nightly look finds the others of a second in which more than that has changed.
    if (excepted.length > mostExcepted) {
      since = new Date(last.getTime() + 1_000)
      excepted = []
    }
  }
}

async function readNewest(parts: LookParts, look: Look, by: 'id' | 'date'): Promise<void> {
  const { newest: marks, isAll } = await parts.sites.wordpress.listNewest(look.site, by)
  await readAll(parts, look, marks)
  const last = marks.at(-1)
  const range =
    by === 'id'
      ? { after: isAll ? 0 : Number(last?.remoteId) - 1 }
      : { since: (isAll ? undefined : last?.publishedAt) ?? new Date(0) }
  await parts.database.stores.sourceItems.markMissing(look.source.id, marks.map(idOf), range)
}

/** Those that are to be read once more although the site shows no change of them. */
async function readStale(parts: LookParts, look: Look): Promise<void> {
  const { sourceItems } = parts.database.stores
  const stale = await sourceItems.listStale(look.source.id, listSize)
  await readAll(parts, look, stale.map(toMark))
  if (!look.isUnfinished) await sourceItems.markRead(look.source.id, stale)
}

/**
 * Reads those of a list whose state here may be an old one, ten at a time.
 * @param cursorOf how far the source has been read once that item is written
 */
async function readAll(
  { sites, ...parts }: LookParts,
  look: Look,
  marks: ItemMark[],
  cursorOf: (mark: ItemMark) => Date | undefined = () => undefined,
): Promise<void> {
  if (marks.length === 0) return
  const { stores } = parts.database
  const known = await stores.sourceItems.listByIds(look.source.id, marks.map(idOf))
  for (const mark of marks) {
    const item = known.get(mark.remoteId)
    if (item?.state === 'here' && mark.isProtected) look.gone.set(item.remoteId, item)
  }
  await stores.sourceItems.markSeen(look.source.id, marks.filter((mark) => !mark.isProtected).map(idOf))
  const wanted = marks.filter(
    (mark) => !look.read.has(mark.remoteId) && isToRead(mark, known.get(mark.remoteId)),
  )
  if (wanted.length > 0) await look.findChange()
  const queue = wanted.flatMap((_, at) => (at % readSize === 0 ? [wanted.slice(at, at + readSize)] : []))
  while (!look.isUnfinished) {
    const ten = queue.shift()
    if (!ten) break
    const startedAt = performance.now()
    const items = await readTen(sites.wordpress, look, ten)
    if (!items) {
      queue.unshift(...ten.map((mark) => [mark]))
      continue
    }
    const siteMs = performance.now() - startedAt
    for (const mark of ten) look.read.add(mark.remoteId)
    const cursorAt = ten.flatMap((mark) => cursorOf(mark) ?? []).at(-1)
    await writeItems({ ...parts, sites }, look, items, cursorAt ? { cursorAt } : {})
    look.isUnfinished = look.isOver()
    await pause(restMsAfter(siteMs))
  }
  const cursorAt = look.isUnfinished ? undefined : marks.flatMap((mark) => cursorOf(mark) ?? []).at(-1)
  if (cursorAt) await look.save({ cursorAt })
}

/**
 * A post that breaks the site's answers, or is too much for one, stops no other: it is asked for alone, and left out
 * once that has failed for some looks, unless the site shows no text at all.
 * @returns undefined where these are to be read one by one
 */
async function readTen(
  wordpress: WordpressReader,
  look: Look,
  ten: ItemMark[],
): Promise<ReadItem[] | undefined> {
  const read = (marks: ItemMark[]) => wordpress.read(look.site, marks.map(idOf), look.context)
  try {
    return await read(ten)
  } catch (fault) {
    const isOfPosts = fault instanceof SiteFault && faultsOfPosts.has(fault.failure)
    const [mark, ...others] = ten
    if (!isOfPosts || !mark) throw fault
    if (others.length > 0) return undefined
    if (look.source.failures < looksUntilLeftOut) throw fault
    const { newest } = await wordpress.listNewest(look.site, 'date')
    const other = newest.findLast((one) => !one.isProtected && one.remoteId !== mark.remoteId)
    if (!other) throw fault
    await read([other])
    return [{ ...mark, ...unread(mark) }]
  }
}

const unread = ({ remoteId }: ItemMark) => ({
  title: `#${remoteId}`,
  guid: undefined,
  link: undefined,
  article: undefined,
  selections: [],
  reason: 'unfit',
})

const idOf = ({ remoteId }: { remoteId: string }): string => remoteId

const toMark = (remoteId: string): ItemMark => ({
  remoteId,
  publishedAt: undefined,
  modifiedAt: undefined,
  isProtected: false,
  link: undefined,
})

/**
 * By the time of the last change and the address, which no edit need change; never by the text: that may change without
 * an edit, and stay the same with one.
 */
function isToRead(mark: ItemMark, known: StoredItem | undefined): boolean {
  if (!known) return true
  if (mark.isProtected) return false
  if (known.state === 'withdrawn' || known.state === 'kept' || known.reason === 'protected') return true
  return isMoved(mark, known) || known.modifiedAt?.getTime() !== (mark.modifiedAt ?? unknownChange).getTime()
}

/** Every night all ids, slowly: what vanished from further back than the newest, and what nothing else has shown. */
async function sweep(parts: LookParts, look: Look): Promise<void> {
  const { source, site } = look
  const { sourceItems } = parts.database.stores
  let page = source.sweepPage
  if (page === undefined && !isDue(parts.now(), look)) return
  page ??= 1
  let after = page === 1 ? 0 : source.sweepAfter
  for (let n = 0; n < sweepPages && !look.isUnfinished; n += 1) {
    const marks = await parts.sites.wordpress.listPage(site, page)
    await readAll(parts, look, marks)
    const last = marks.at(-1)
    const range = { after, ...(last && { upTo: Number(last.remoteId) }) }
    await sourceItems.markMissing(source.id, marks.map(idOf), range)
    // A cache that heeds no parameters gives the first page for ever.
    if (!last || Number(last.remoteId) <= after) {
      await endSweep(parts, look)
      return
    }
    after = Number(last.remoteId)
    page += 1
    await look.save({ sweepPage: page, sweepAfter: after })
  }
}

function isDue(now: Date, { source, context }: Look): boolean {
  return isNight(context.zone, now) && now.getTime() - (source.sweptAt?.getTime() ?? 0) > dayMs / 2
}

/** A site that shows all that it showed is the one it was, whatever its front page shows now. */
async function endSweep({ database, now }: LookParts, look: Look): Promise<void> {
  const { missing } = await database.stores.sourceItems.count(look.source.id)
  const isChanged = missing === 0 && (await look.findChange()) === 'changed'
  await look.save({ sweepPage: null, sweepAfter: 0, sweptAt: now(), ...(isChanged && { face: '' }) })
}

/** What was missing a while ago is asked for again, all together and then one by one. */
async function settleGone(parts: LookParts, look: Look): Promise<void> {
  const { source, site } = look
  const { sources, sourceItems } = parts.database.stores
  const { wordpress } = parts.sites
  const missing = (await sourceItems.listMissing(source.id, { isAgain: true })).filter(
    ({ remoteId }) => !look.gone.has(remoteId),
  )
  const shown = new Set<string>()
  for (let at = 0; at < missing.length; at += listSize) {
    const ids = missing.slice(at, at + listSize).map(idOf)
    const found = await wordpress.listPublic(site, ids)
    for (const mark of found) if (!mark.isProtected) shown.add(mark.remoteId)
  }
  await sourceItems.markSeen(source.id, [...shown])
  const gone = [...look.gone.values(), ...missing.filter(({ remoteId }) => !shown.has(remoteId))]
  if (gone.length > 0) {
    await withdrawGone(parts, look, gone, async ({ remoteId }) =>
      look.gone.has(remoteId) ? true : wordpress.isGone(site, remoteId),
    )
  }
  look.isMissing = (await sourceItems.count(source.id)).missing > 0
  if (source.question && !look.isMissing) await sources.updateQuestion(source.id, null)
}
