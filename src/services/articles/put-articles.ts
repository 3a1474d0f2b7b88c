import { hash, randomInt, randomUUID } from 'node:crypto'
import { summaryOf } from '../../domain/articles/summary.ts'
import type { SelectionKind } from '../../domain/articles/article.ts'
import { publishingOf } from '../../domain/articles/publishing.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { withoutUndefined } from '../../domain/fields.ts'
import { DomainError, unavailable } from '../../errors.ts'
import type { ArticleContent, StoredArticle } from '../../store/articles/article-writes.ts'
import type { FileFacts } from '../../store/media/media.ts'
import type { NewSelection } from '../../store/articles/selections.ts'
import type { Stores } from '../../store/stores.ts'
import { toSafeHtml } from './safe-html.ts'
import { listOwnFiles, toPicture, withSizes } from './own-pictures.ts'
import { findIdentities, judgeArticle, namesOf, noteNames, noteSources, remoteOf } from './identity.ts'
import {
  articleExists,
  guidTaken,
  hashOfFields,
  noOriginal,
  versionChanged,
  versionOf,
  type ArticleToPut,
  type Outcome,
  type PutResult,
} from './put-article.ts'
import { chooseSlugs, wantedSlug } from './slugs.ts'

interface BatchOptions {
  publicUrl: string
  now: Date
  /** Who, as the bodies name them: `nameOfActor`, `source:3`. */
  by?: string
}

type Pending = ArticleToPut & {
  stored: StoredArticle | undefined
  /** The slug it would have if nobody else did. */
  baseSlug: string
  content: Omit<ArticleContent, 'slug'>
}

/** What is there already. */
interface Known {
  stored: StoredArticle | undefined
  /** Id of what it translates. */
  original: number | undefined
  ownFiles: FileFacts[]
}

/**
 * Creates or updates articles by external id, inside the caller's transaction. One statement per step, whatever the
 * number of articles. What is wrong with one article is its own result and leaves the others alone.
 * @param articles no external id twice
 */
export async function putArticles(
  stores: Stores,
  articles: ArticleToPut[],
  options: BatchOptions,
): Promise<PutResult[]> {
  const externalIds = articles.map((article) => article.externalId)
  await stores.articles.lock([...externalIds, ...articles.flatMap(({ input }) => input.guid ?? [])])
  const identities = await findIdentities(stores, articles)
  await noteNames(stores, articles, identities)
  const originals = await namesOf(
    articles.flatMap(({ input }) => input.translationOf ?? []),
    stores.articles.listByExternalIds,
  )
  const ownFiles = await listOwnFiles(stores, articles, options.publicUrl)
  const results = new Map<string, PutResult>()
  const pending: Pending[] = []
  const seen = new Set<number>()
  const again: ArticleToPut[] = []
  const earlier = new Set<string>()
  for (const article of articles) {
    const { externalId } = article
    const stored = identities.get(externalId)
    const original = originals.get(article.input.translationOf ?? '')?.[0]
    if (
      (stored && seen.has(stored.id)) ||
      (original === undefined && earlier.has(article.input.translationOf ?? ''))
    ) {
      again.push(article)
      continue
    }
    if (stored) seen.add(stored.id)
    earlier.add(externalId)
    try {
      const next = await prepare(stores, article, { stored, original, ownFiles }, options)
      if ('outcome' in next) results.set(externalId, { externalId, ...next })
      else pending.push(next)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      results.set(externalId, { externalId, error })
    }
  }
  for (const result of await write(stores, pending)) results.set(result.externalId, result)
  await noteSources(stores, articles, results)
  // Two names of one article in one batch: the second is an edit of the first. A translation waits for its original.
  if (again.length > 0) {
    for (const result of await putArticles(stores, again, options)) results.set(result.externalId, result)
  }
  return externalIds.flatMap((externalId) => results.get(externalId) ?? [])
}

/** Decides what one article becomes. @throws DomainError of `publishingOf`, `no_media` */
async function prepare(
  stores: Stores,
  article: ArticleToPut,
  { stored, original, ownFiles }: Known,
  { now, publicUrl, by }: BatchOptions,
): Promise<Pending | { id: number; outcome: Outcome; kept?: 'older' | 'held'; isItsText?: boolean }> {
  const { input, origin, source } = article
  if (article.mustBeNew && stored) throw articleExists()
  const contentSha256 = hashOf(article)
  const isRestored = stored?.state === 'withdrawn' && input.state === 'published' && !origin
  if (stored && stored.contentSha256.equals(contentSha256) && !isRestored) {
    const isRaised =
      (input.viewsTotal ?? 0) > stored.viewsTotal &&
      (await stores.articles.updateViews(stored.id, input.viewsTotal ?? 0))
    return { id: stored.id, outcome: isRaised ? 'updated' : 'unchanged', isItsText: true }
  }
  if (article.version !== undefined && article.version !== (stored ? versionOf(stored) : 0))
    throw versionChanged()
  if (input.translationOf !== undefined && (original ?? stored?.id) === stored?.id)
    throw noOriginal(input.translationOf)
  const verdict = source && stored && (await judgeArticle(stores, article, stored))
  if (stored && verdict && verdict !== 'write') {
    const kept = verdict === 'same' ? {} : { kept: verdict }
    return { id: stored.id, outcome: 'unchanged', ...kept }
  }
  // An import brings news of the old site, not the desk's word: what was withdrawn here stays so.
  const isKeptWithdrawn = stored?.state === 'withdrawn' && origin !== undefined
  // What it brought without a date is a draft until an editor says otherwise.
  const isUndated = origin !== undefined && input.state === 'draft' && input.publishedAt === undefined
  const kept = isUndated && stored ? stored : input
  const publishing = publishingOf(
    {
      state: isKeptWithdrawn || kept.state === 'withdrawn' ? undefined : kept.state,
      publishedAt: kept.publishedAt === undefined ? undefined : new Date(kept.publishedAt),
      wasPublicElsewhere: origin !== undefined && !article.isNews,
    },
    stored,
    now,
  )
  const baseUrl = origin?.baseUrl ?? input.canonicalUrl ?? publicUrl
  const { markdown } = input
  const format = markdown === undefined ? 'html' : 'markdown'
  const safe = await toSafeHtml(format, markdown ?? input.html ?? '', baseUrl)
  const html = withSizes(safe, ownFiles, publicUrl)
  const content: Pending['content'] = {
    ...publishing,
    language: input.language,
    title: input.title,
    deck: input.deck,
    summary: input.summary || summaryOf(html),
    html,
    markdown,
    writtenBy: by,
    // A site knows of neither: what the desk has said stays.
    ...(!(origin ?? source) && { correction: input.correction || undefined, translationOf: original }),
    // An export names none.
    canonicalUrl: input.canonicalUrl ?? (origin && stored?.canonicalUrl),
    picture: input.picture && toPicture(withoutUndefined(input.picture), ownFiles, publicUrl),
    enclosure: input.enclosure && withoutUndefined(input.enclosure),
    areResponsesOpen: input.responses === 'open',
    oldPath: origin?.oldPath,
    contentSha256,
    ...remoteOf(article, stored, now),
  }
  return { ...article, stored, content, baseSlug: wantedSlug(article, stored) }
}

async function write(stores: Stores, pending: Pending[]): Promise<PutResult[]> {
  const results: PutResult[] = []
  const news = pending.filter((one) => one.stored === undefined)
  const guids = await chooseGuids(stores, news)
  const fresh = news.filter((one) => {
    const isRefused = one.input.guid !== undefined && !guids.has(one.externalId) && !one.origin
    if (isRefused) results.push(guidTaken(one))
    return !isRefused
  })
  const known = pending.filter((one) => one.stored !== undefined)
  const slugs = await chooseSlugs(stores, known)
  const ids = await insert(stores, fresh, guids)
  for (const { externalId, stored, content, input, baseSlug } of known) {
    if (!stored) continue
    const slug = slugs.get(externalId) ?? `${baseSlug}-${newShortCode()}`
    await stores.articles.update(stored.id, { ...content, slug })
    if (input.viewsTotal !== undefined) await stores.articles.updateViews(stored.id, input.viewsTotal)
    ids.set(externalId, stored.id)
  }
  await putSelections(stores, [...fresh, ...known], ids)
  for (const { externalId, stored, input } of [...fresh, ...known]) {
    const id = ids.get(externalId)
    if (id === undefined) continue
    const hasNewGuid = !stored && input.guid !== undefined && !guids.has(externalId)
    if (hasNewGuid) await stores.articles.insertAliases([{ articleId: id, guid: input.guid }])
    results.push({
      externalId,
      id,
      outcome: stored ? 'updated' : 'created',
      ...(hasNewGuid && { hasNewGuid }),
    })
  }
  return results
}

/** The guids that were brought along, by external id; absent where another article has it already. */
async function chooseGuids(stores: Stores, news: Pending[]): Promise<Map<string, string>> {
  const wanted = news.flatMap((one) => one.input.guid ?? [])
  const taken = new Set(
    wanted.length === 0 ? [] : (await stores.articles.listByGuids(wanted)).map((found) => found.name),
  )
  const chosen = new Map<string, string>()
  for (const { externalId, input } of news) {
    if (input.guid === undefined || taken.has(input.guid)) continue
    chosen.set(externalId, input.guid)
    taken.add(input.guid)
  }
  return chosen
}

/** A slug or short code that someone else took between our look and our insert is chosen again. */
async function insert(
  stores: Stores,
  fresh: Pending[],
  guids: Map<string, string>,
): Promise<Map<string, number>> {
  const ids = new Map<string, number>()
  const maxRounds = 5
  for (let round = 0; round < maxRounds; round += 1) {
    const left = fresh.filter((one) => !ids.has(one.externalId))
    if (left.length === 0) return ids
    // Others keep taking the numbers we see free; a random end is not fought over.
    const slugs = round < 2 ? await chooseSlugs(stores, left) : new Map<string, string>()
    const rows = left.map(({ externalId, input, content, baseSlug }) => ({
      ...content,
      externalId,
      slug: slugs.get(externalId) ?? `${baseSlug}-${newShortCode()}`,
      guid: guids.get(externalId) ?? `urn:uuid:${randomUUID()}`,
      shortCode: newShortCode(),
      viewsTotal: input.viewsTotal ?? 0,
    }))
    for (const [externalId, id] of await stores.articles.insert(rows)) ids.set(externalId, id)
  }
  throw unavailable('articles_contended', 'Too many writers at once; send it again.')
}

async function putSelections(stores: Stores, articles: Pending[], ids: Map<string, number>): Promise<void> {
  const wanted = articles.map((one) => ({ one, selections: selectionsOf(one) }))
  const known = await stores.selections.putMissing(wanted.flatMap(({ selections }) => selections))
  const rows = wanted.flatMap(({ one, selections }) => {
    const articleId = ids.get(one.externalId)
    if (articleId === undefined) return []
    return selections.flatMap(({ kind, slug }, position) => {
      const selectionId = known.get(`${kind}/${slug}`)
      return selectionId === undefined ? [] : { articleId, selectionId, position }
    })
  })
  const updated = articles.flatMap(({ stored }) => stored?.id ?? [])
  await stores.articles.putSelections(updated, rows)
}

function selectionsOf({ input, tagNames = {} }: ArticleToPut): NewSelection[] {
  const bySlug = (kind: SelectionKind, slugs: string[]) =>
    slugs.map((slug) => ({ kind, slug, names: { und: slug } }))
  return [
    ...bySlug('section', input.sections),
    ...bySlug('dossier', input.dossiers),
    ...input.tags.map((slug) => ({ kind: 'tag' as const, slug, names: { und: tagNames[slug] ?? slug } })),
    ...input.authors.map(authorNamed),
  ]
}

/** Two spellings of one slug are one author. */
export function authorNamed(name: string): NewSelection {
  const slug = slugOf(name) || `auteur-${hash('sha256', name).slice(0, 8)}`
  return { kind: 'author', slug, names: { und: name } }
}

/** Over what was sent, not over what we made of it: a newer sanitiser does not turn every re-import into an update. */
function hashOf({ input, origin }: ArticleToPut): Buffer {
  const { guid: _guid, viewsTotal: _viewsTotal, ...content } = input
  return hashOfFields({ ...content, ...origin })
}

// Without vowels no code spells a word; without 0, 1, l and the like it can be read out.
const shortCodeAlphabet = 'bcdfghjkmnpqrstvwxyz23456789'
const newShortCode = (): string =>
  Array.from({ length: 7 }, () => shortCodeAlphabet[randomInt(shortCodeAlphabet.length)]).join('')
