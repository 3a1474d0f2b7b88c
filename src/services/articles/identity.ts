import { textOf } from '../../domain/articles/article-html.ts'
import { foldUrl, isGlobalGuid, siteHostOf, strengthOf } from '../../domain/articles/identity.ts'
import {
  judgeSource,
  rankOf,
  type SourceMark,
  type SourceVerdict,
} from '../../domain/articles/source-verdict.ts'
import { canonicalPath } from '../../domain/articles/old-address.ts'
import type { FoundName } from '../../store/articles/article-identity.ts'
import type { StoredArticle } from '../../store/articles/article-writes.ts'
import type { Stores } from '../../store/stores.ts'
import type { ArticleToPut, PutResult } from './put-article.ts'
import { safeHtml } from './safe-html.ts'

/** The stored article of each external id that was put; absent where it is new. */
export type Identities = Map<string, StoredArticle>

/**
 * One article, whatever path it comes by: its external id or an alias; else its exact guid; else, at the same site, its
 * guid or the address of its page in another spelling. Locks what it finds.
 */
export async function findIdentities(stores: Stores, articles: ArticleToPut[]): Promise<Identities> {
  const ids = await namesOf(
    articles.flatMap((one) => [one.externalId, ...(one.source?.formerIds ?? [])]),
    stores.articles.listByExternalIds,
  )
  const guids = await namesOf(
    articles.flatMap((one) => one.input.guid ?? []),
    stores.articles.listByGuids,
  )
  const strange = articles.filter(({ externalId, source }) => source && !ids.has(externalId))
  const urls = await namesOf(strange.flatMap(foldedUrlsOf), stores.articles.listByFoldedUrls)
  const paths = await namesOf(strange.flatMap(pathsOf), stores.articles.listByOldPaths)

  const found = [ids, guids, urls, paths].flatMap((names) => [...names.values()].flat())
  const stored = new Map((await stores.articles.listStored([...new Set(found)])).map((one) => [one.id, one]))
  const known = (names: Names, name: string) => (names.get(name) ?? []).flatMap((id) => stored.get(id) ?? [])

  const identities: Identities = new Map()
  for (const article of articles) {
    const { externalId, input, source } = article
    const { guid } = input
    const byGuid = guid === undefined ? [] : known(guids, guid)
    const atItsSite = [
      ...(source ? foldedUrlsOf(article) : []).flatMap((url) => known(urls, url)),
      ...pathsOf(article).flatMap((path) => known(paths, path)),
    ]
    const match =
      known(ids, externalId)[0] ??
      (source && source.formerIds.flatMap((id) => known(ids, id)).find(isFormer(article, source))) ??
      byGuid.find((one) => mayJoin(article, one) && sharesGuid(guid ?? '', one, article)) ??
      atItsSite.find((one) => mayJoin(article, one) && isOfSite(one, article) && isOnItsPage(one, article))
    if (match) identities.set(externalId, match)
  }
  return identities
}

type Names = Map<string, number[]>

/** Which articles each of these names leads to. */
export async function namesOf(
  wanted: string[],
  list: (names: string[]) => Promise<FoundName[]>,
): Promise<Names> {
  const names: Names = new Map()
  if (wanted.length === 0) return names
  for (const { name, articleId } of await list([...new Set(wanted)])) {
    names.set(name, [...(names.get(name) ?? []), articleId])
  }
  return names
}

/**
 * What the API sends under an id of its own is another article than one that the API has sent before; a post is another
 * than a post with another number, whatever their guids say.
 */
function mayJoin({ externalId, source }: ArticleToPut, stored: StoredArticle): boolean {
  if (!source && strengthOf(stored.externalId) >= strengthOf(externalId)) return false
  const numbers = [externalId, stored.externalId].map((id) => /^wp:.*:(\d+)$/.exec(id)?.[1])
  return numbers.includes(undefined) || numbers[0] === numbers[1]
}

/** A bare number is a guid at its own site alone; the newsroom's own system has none. */
const sharesGuid = (guid: string, stored: StoredArticle, article: ArticleToPut): boolean =>
  isGlobalGuid(guid) || strengthOf(stored.externalId) === 3 || isOfSite(stored, article)

/**
 * A page may hold many stories, such as all episodes of a show: an item that has a name of its own is the one that is
 * known there only where their dates say so, or, without dates, their titles.
 */
function isOnItsPage(stored: StoredArticle, { externalId, input, source }: ArticleToPut): boolean {
  const { guid, publishedAt, title } = input
  const isNamedByPage =
    guid === undefined ? !source?.isNameless : foldUrl(guid) === foldUrl(source?.link ?? '')
  if (strengthOf(externalId) > 1 || isNamedByPage) return true
  return publishedAt !== undefined && stored.publishedAt
    ? stored.publishedAt.getTime() === Date.parse(publishedAt)
    : stored.title === title
}

/** Earlier versions made an id of a feed's item of its guid alone, which two sites may share. */
const isFormer =
  (article: ArticleToPut, source: SourceMark) =>
  (stored: StoredArticle): boolean =>
    source.isNameless
      ? stored.title === article.input.title
      : isGlobalGuid(article.input.guid ?? source.link ?? '') || isOfSite(stored, article)

/** What the newsroom's own system sends is of the site that its canonical URL is on. */
function isOfSite({ externalId, canonicalUrl }: StoredArticle, { input, source }: ArticleToPut): boolean {
  const link = source ? (source.link ?? `http://${source.site}`) : input.canonicalUrl
  const host = siteHostOf(link)
  if (host === undefined) return false
  const [, ofId = ''] = /^(?:wp|feed):(.+):[^:]+$/.exec(externalId) ?? []
  return withoutWww(ofId) === withoutWww(source?.site ?? host) || siteHostOf(canonicalUrl) === host
}

const withoutWww = (site: string): string => site.replace(/^www\./, '')

const foldedUrlsOf = ({ input, source }: ArticleToPut): string[] =>
  [input.guid, source?.link].flatMap((url) => (url && /^https?:/.test(url) ? foldUrl(url) : []))

const pathsOf = ({ source }: ArticleToPut): string[] => {
  const path = canonicalPath(URL.parse(source?.link ?? '')?.pathname ?? '')
  return path === '' ? [] : [path]
}

/** Whether what a source brings is written over what is stored. */
export async function judgeArticle(
  stores: Stores,
  { input, source, origin, isLive }: ArticleToPut,
  stored: StoredArticle,
): Promise<Exclude<SourceVerdict, 'compare'>> {
  const verdict = source ? judgeSource(source, stored, input.state ?? 'published') : 'write'
  // A site that has other permalinks has changed no post, and an export names no address that links could lead to.
  const isElsewhere = foldUrl(source?.link ?? '') !== foldUrl(stored.canonicalUrl ?? '')
  if (verdict === 'same' && isLive && source?.rank === 3 && isElsewhere) return 'write'
  if (verdict !== 'compare') return verdict
  const known = await stores.articles.find(stored.id)
  if (!known || !source || source.isSummary) return 'same'
  const isSame =
    lettersOf(known.title) === lettersOf(input.title) &&
    lettersOf(textOf(known.html)) ===
      lettersOf(textOf(await safeHtml(input.html ?? '', origin?.baseUrl ?? source.link)))
  return isSame ? 'same' : 'write'
}

/** Letters and digits: one rendition of a text curls its quotes, another does not. */
const lettersOf = (text: string): string => text.replace(/[^\p{L}\p{N}]+/gu, '')

/** The strongest id stays the article's own; the others become aliases. */
export async function noteNames(
  stores: Stores,
  articles: ArticleToPut[],
  identities: Identities,
): Promise<void> {
  const aliases: { articleId: number; externalId: string }[] = []
  for (const { externalId } of articles) {
    const stored = identities.get(externalId)
    if (!stored || stored.externalId === externalId) continue
    if (strengthOf(externalId) > strengthOf(stored.externalId)) {
      await stores.articles.updateExternalId(stored.id, externalId)
      stored.externalId = externalId
    } else aliases.push({ articleId: stored.id, externalId })
  }
  await stores.articles.insertAliases(aliases)
}

/** What a source has brought, or may bring, is the desk's once the desk or the API has written it. */
export function remoteOf({ source, externalId }: ArticleToPut, stored: StoredArticle | undefined, now: Date) {
  if (!source) {
    const isOfSource = stored?.remoteRank !== undefined || strengthOf(externalId) < 3
    return { remoteModifiedAt: undefined, remoteRank: undefined, heldAt: isOfSource ? now : undefined }
  }
  // RSS does not say when it changed: a correction that it shows was made before it was read.
  const isCorrection = stored !== undefined && source.rank < rankOf(stored)
  return {
    remoteModifiedAt: source.modifiedAt ?? (isCorrection ? source.readAt : undefined),
    remoteRank: source.rank,
    heldAt: undefined,
  }
}

/** A source that brought nothing new has said all the same how new it is, and where the article once stood. */
export async function noteSources(
  stores: Stores,
  articles: ArticleToPut[],
  results: Map<string, PutResult>,
): Promise<void> {
  const marks = articles.flatMap(({ externalId, source, origin }) => {
    const result = results.get(externalId)
    if (!source || !result || 'error' in result || result.outcome !== 'unchanged') return []
    const { id, isItsText } = result
    const modifiedAt = isItsText ? source.modifiedAt?.toISOString() : undefined
    return {
      id,
      modifiedAt: modifiedAt ?? null,
      rank: isItsText ? source.rank : null,
      oldPath: origin?.oldPath ?? null,
    }
  })
  await stores.articles.updateSources(marks)
}
