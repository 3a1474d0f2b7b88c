import { hash } from 'node:crypto'
import { localeOf } from '../../domain/language.ts'
import type { Article } from '../../domain/articles/article.ts'
import { articleUrl } from '../../domain/articles/links.ts'
import {
  feedFormats,
  feedPath,
  feedTypes,
  isRenderedAhead,
  pathsOfChange,
  selectionSubject,
  type FeedAddress,
  type FeedChange,
  type FeedFormat,
  type FeedSubject,
} from '../../domain/feeds/feed.ts'
import { dateFormat } from '../../domain/formats.ts'
import type { Publication } from '../../domain/publication.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { FeedSource } from '../../feeds/items.ts'
import type { ComposedFeed, FeedWriter } from '../../feeds/writer.ts'
import type {
  FeedDocument,
  FeedGroup,
  NewFeedDocument,
  RenderedFeed,
  RenderNote,
} from '../../store/feeds/feed-documents.ts'
import type { Stores } from '../../store/stores.ts'
import { safeHtml } from '../articles/safe-html.ts'
import { gatherFeed } from './gather.ts'
import type { Parts } from '../parts.ts'

/**
 * Marks the documents that show what was noted; feeds that are rendered ahead get theirs now.
 * @returns the paths of all pages and feeds that show a change
 */
export function followChanges({ database }: Pick<Parts, 'database'>): Promise<string[]> {
  return database.transaction(async (stores) => {
    const changes = await stores.feedDocuments.claimChanges()
    if (changes.length === 0) return []
    const { languages } = await stores.publication.get()
    const spelled = await spellOut(stores, changes, languages)
    const documents = spelled.flatMap((change) => documentsAhead(change, languages))
    await stores.feedDocuments.insertMissing(uniqueBy(documents, ({ path }) => path))
    await stores.feedDocuments.updateDirty(
      uniqueBy(spelled, ({ subject, language }) => `${subject} ${language ?? ''}`),
    )
    return spelled.flatMap((change) => pathsOfChange(change, languages))
  })
}

/** With "everything" as each feed that is rendered ahead, for one may be new. */
async function spellOut(stores: Stores, changes: FeedChange[], languages: string[]): Promise<FeedChange[]> {
  const picks = changes.some(({ subject }) => subject === 'picks') ? await stores.picks.list() : []
  const ofPicks = picks.map(({ slug }): FeedChange => ({ subject: `pick:${slug}` }))
  if (!changes.some(({ subject }) => subject === '*')) return [...changes, ...ofPicks]
  const [sections, dossiers] = [
    await stores.selections.list('section'),
    await stores.selections.list('dossier'),
  ]
  const subjects: FeedSubject[] = ['all', ...[...sections, ...dossiers].map(selectionSubject)]
  return [...changes, ...subjects.flatMap((subject) => languages.map((language) => ({ subject, language })))]
}

function documentsAhead({ subject, language }: FeedChange, languages: string[]): NewFeedDocument[] {
  if (!isRenderedAhead(subject)) return []
  const own = language !== undefined && languages.includes(language) ? [language] : []
  return [undefined, ...own].flatMap((one) =>
    feedFormats.map((format) => toDocument({ subject, language: one, format })),
  )
}

export const toDocument = (address: FeedAddress): NewFeedDocument => ({
  path: feedPath(address),
  subject: address.subject,
  language: address.language,
  contentType: feedTypes[address.format],
})

const uniqueBy = <Item>(items: Item[], keyOf: (item: Item) => string): Item[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
]

/** False where nothing may change now. */
export async function renderNext(
  parts: Pick<Parts, 'config' | 'database' | 'feedWriter' | 'hasEditions' | 'log' | 'now'>,
): Promise<boolean> {
  const { database, log } = parts
  let claimed: FeedGroup | undefined
  try {
    await database.transaction(async (stores) => {
      claimed = await stores.feedDocuments.claimDirty()
      if (claimed) await renderClaimed(parts, stores, claimed)
    })
  } catch (error) {
    if (!claimed) throw error
    log.error({ err: error, feed: claimed.subject }, 'a feed could not be rendered; its last copy stays')
    await database.stores.feedDocuments.release(claimed)
  }
  return claimed !== undefined
}

export async function renderClaimed(
  parts: Pick<Parts, 'config' | 'feedWriter' | 'hasEditions' | 'log' | 'now'>,
  stores: Stores,
  group: FeedGroup,
): Promise<void> {
  const { config, feedWriter, hasEditions, log } = parts
  const documents = await stores.feedDocuments.listClaimed(group)
  if (documents.length === 0) return
  const publication = await stores.publication.get()
  const { publicUrl } = config
  const gathered = await gatherFeed({
    stores,
    publication,
    publicUrl,
    ...group,
    floor: highestFloor(documents),
    now: parts.now(),
  })
  const sources = await Promise.all(gathered.sources.map((source) => toSafe(source, publication, publicUrl)))
  const composed = feedWriter.compose(gathered.channel, sources, {
    publicUrl,
    deskName: publication.deskName,
    hasEditions,
  })
  for (const { guid, reason } of composed.leftOut) {
    log.warn({ feed: group.subject, guid, reason }, 'left out of a feed')
  }
  const note: RenderNote = {
    floor: gathered.floor,
    items: composed.items,
    leftOut: composed.leftOut,
    madeFor: madeFor(parts, publication),
    dueAt: gathered.dueAt,
  }
  // HTTP dates have no fractions of a second.
  const lastModified = new Date(Math.floor((await stores.clock.now()).getTime() / 1000) * 1000)
  const rendered = await Promise.all(
    documents.map((document) => renderDocument(feedWriter, composed, { document, lastModified })),
  )
  for (const [index, document] of documents.entries()) {
    await stores.feedDocuments.updateRendered(document, note, rendered[index])
  }
}

/** Again, whatever was written: a row may have been changed by other means, or by an earlier version. */
async function toSafe(source: FeedSource, publication: Publication, publicUrl: string): Promise<FeedSource> {
  if (source.kind === 'notice' || source.kind === 'digest') return source
  const url = articleUrl(source.article, publicUrl)
  if (source.kind === 'article') {
    const { article } = source
    const correction = article.correction && toldCorrection(article, publication)
    return { ...source, article: { ...article, correction, html: await safeHtml(article.html, url, url) } }
  }
  const html = await safeHtml(source.response.html, url, url, 'response')
  return { ...source, response: { ...source.response, html } }
}

/** Undefined where the content is what it was: both validators stay. */
async function renderDocument(
  feedWriter: FeedWriter,
  composed: ComposedFeed,
  { document, lastModified }: { document: FeedDocument; lastModified: Date },
): Promise<RenderedFeed | undefined> {
  const { contentSha256, bytes } = composed.write(formatOf(document.path))
  if (document.contentSha256?.equals(contentSha256)) return undefined
  const body = bytes(lastModified)
  return {
    etag: etagOf(contentSha256),
    lastModified,
    contentSha256,
    body,
    ...(await feedWriter.compress(body)),
  }
}

/** Weak, one for all encodings. */
export const etagOf = (contentSha256: Buffer): string =>
  `W/"${contentSha256.toString('base64url').slice(0, 22)}"`

const formatOf = (path: string): FeedFormat => {
  const format = feedFormats.find((known) => path.endsWith(`/${known}`))
  if (!format) throw new Error(`no feed format at the end of ${path}`)
  return format
}

/** Formats of one feed that were first read at different times still show the same items. */
const highestFloor = (documents: FeedDocument[]) =>
  documents
    .flatMap(({ floor }) => floor ?? [])
    .sort((one, other) => other.at.getTime() - one.at.getTime() || other.id - one.id)[0]

export const madeFor = (
  { config, feedWriter }: Pick<Parts, 'config' | 'feedWriter'>,
  publication: Publication,
): string =>
  hash('sha256', JSON.stringify([feedWriter.version, config.publicUrl, publication]), 'base64url').slice(
    0,
    22,
  )

function toldCorrection(
  { correction: text = '', correctedAt, language }: Article,
  publication: Publication,
): string {
  const tongue = interfaceLanguageOf(language)
  if (!correctedAt) return translate(tongue, 'site.correction', { text })
  const format = { dateStyle: 'long', timeZone: publication.zone } as const
  const date = dateFormat(localeOf(publication, language), format).format(correctedAt)
  return translate(tongue, 'site.correction_of', { text, date })
}
