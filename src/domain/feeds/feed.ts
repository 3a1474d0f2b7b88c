import { isLanguageTag } from '../language.ts'
import {
  articlePath,
  pathOfKind,
  selectionPath,
  type Article,
  type Selection,
  type SelectionKind,
} from '../articles/article.ts'
import { pickPath } from '../articles/pick.ts'
import { newsletterPath } from '../newsletter.ts'

/** The last segment of every feed's path. */
export const feedFormats = ['rss.xml', 'atom.xml', 'feed.json'] as const
export type FeedFormat = (typeof feedFormats)[number]

export const feedTypes = {
  'rss.xml': 'application/rss+xml; charset=utf-8',
  'atom.xml': 'application/atom+xml; charset=utf-8',
  'feed.json': 'application/feed+json',
} as const satisfies Record<FeedFormat, string>

/** What a feed is a view of, as one word: what documents are stored and changes are noted under. */
export type FeedSubject =
  | 'all'
  | 'responses'
  | 'most-read'
  | 'most-read-today'
  | `${SelectionKind}:${string}`
  | `responses:${string}`
  | `newsletter:${string}`
  | `pick:${string}`

/** One feed in one format. `language` is absent where the feed holds every language. */
export interface FeedAddress {
  subject: FeedSubject
  language: string | undefined
  format: FeedFormat
}

/**
 * Something changed that feeds show: without a language, in every language. `*` is every feed, `picks` that of every pick,
 * `digest:` a page alone.
 */
export interface FeedChange {
  subject: FeedSubject | '*' | 'picks' | `digest:${number}`
  language?: string
}

const kindOfFolder = new Map(Object.entries(pathOfKind).map(([kind, folder]) => [folder as string, kind]))

/** The kind before the colon, and the slug after it. */
export function splitSubject(subject: FeedSubject): { kind: string; slug: string } {
  const colon = subject.indexOf(':')
  return colon < 0
    ? { kind: subject, slug: '' }
    : { kind: subject.slice(0, colon), slug: subject.slice(colon + 1) }
}

export const selectionSubject = (selection: Pick<Selection, 'kind' | 'slug'>): FeedSubject =>
  `${selection.kind}:${selection.slug}`

function folderOf(subject: FeedSubject): string {
  const { kind, slug } = splitSubject(subject)
  if (kind === 'all') return ''
  if (kind === 'most-read-today') return '/most-read/today'
  if (kind === 'newsletter') return newsletterPath(slug)
  if (kind === 'pick') return pickPath(slug)
  if (kind === 'responses') return slug === '' ? '/responses' : `${articlePath(slug)}/responses`
  if (kind === 'most-read') return '/most-read'
  return selectionPath({ kind: kind as SelectionKind, slug })
}

const withLanguage = (path: string, language: string | undefined): string =>
  language === undefined ? path : `/${language}${path}`

/** The one path of a feed: percent-encoded as `encodeURIComponent` does. */
export const feedPath = ({ subject, language, format }: FeedAddress): string =>
  `${withLanguage(folderOf(subject), language)}/${format}`

/** Paths that answer with no feed of their own: where readers of each are led, undefined where the feed has ended. */
export type MovedPaths = ReadonlyMap<string, string | undefined>

/** Where the feed of a path is found now; undefined where it has ended. */
export function currentPath(left: MovedPaths, path: string): string | undefined {
  if (!left.has(path)) return path
  const to = left.get(path)
  // No move leads back to where it began: a feed moves only to one that is served.
  return to === undefined ? undefined : currentPath(left, to)
}

/** The page that a feed's `link` points to. */
export function feedPagePath({ subject, language }: Pick<FeedAddress, 'subject' | 'language'>): string {
  const { kind, slug } = splitSubject(subject)
  if (kind === 'newsletter') return newsletterPath(slug)
  if (kind === 'responses' && slug !== '') return articlePath(slug)
  const hasPage = kind === 'pick' || Object.hasOwn(pathOfKind, kind)
  return withLanguage(hasPage ? folderOf(subject) : '', language) || '/'
}

/** Cheap enough for every request: whether the last segment is a feed's. */
export const isFeedPath = (path: string): boolean =>
  path.endsWith('/rss.xml') || path.endsWith('/atom.xml') || path.endsWith('/feed.json')

/** The feed a path names, in whatever way it is percent-encoded; undefined where it cannot name one. */
export function parseFeedPath(path: string): FeedAddress | undefined {
  const segments = decodeSegments(path)
  const format = feedFormats.find((known) => known === segments?.at(-1))
  if (!segments || !format) return undefined
  const folders = segments.slice(0, -1)
  const [first] = folders
  const language = first !== undefined && isLanguageTag(first) ? folders.shift() : undefined
  const subject = subjectOf(folders)
  if (subject === undefined) return undefined
  // A newsletter and an article have one language: their feeds have one address.
  const hasOneLanguage = subject.startsWith('newsletter:') || subject.startsWith('responses:')
  return language !== undefined && hasOneLanguage ? undefined : { subject, language, format }
}

function subjectOf(folders: string[]): FeedSubject | undefined {
  const [folder = '', slug = '', rest = ''] = folders
  if (folders.length === 0) return 'all'
  if (folders.length === 1) return folder === 'responses' || folder === 'most-read' ? folder : undefined
  if (folders.length === 3) {
    return folder === 'articles' && rest === 'responses' ? `responses:${slug}` : undefined
  }
  if (folders.length !== 2) return undefined
  if (folder === 'most-read') return slug === 'today' ? 'most-read-today' : undefined
  if (folder === 'newsletters') return `newsletter:${slug}`
  if (folder === 'picks') return `pick:${slug}`
  const kind = kindOfFolder.get(folder) as SelectionKind | undefined
  return kind && `${kind}:${slug}`
}

const maxSlugLength = 300

function decodeSegments(path: string): string[] | undefined {
  try {
    // As slugs are stored, however a client composes letters and marks.
    const segments = path
      .slice(1)
      .split('/')
      .map((segment) => decodeURIComponent(segment).normalize())
    const isSound = segments.every(
      (part) => part !== '' && part.length <= maxSlugLength && !part.includes('/'),
    )
    return path.startsWith('/') && isSound ? segments : undefined
  } catch {
    return undefined
  }
}

/** Every feed that shows an article. Before and after an edit these differ: note both. */
export function changesOfArticle(
  article: Pick<Article, 'language' | 'slug' | 'state' | 'sections' | 'dossiers' | 'tags' | 'authors'>,
): FeedChange[] {
  const { language } = article
  const selections = [...article.sections, ...article.dossiers, ...article.tags, ...article.authors]
  const subjects: FeedChange['subject'][] = [
    'all',
    'picks',
    ...selections.map(selectionSubject),
    `responses:${article.slug}`,
  ]
  // A ranking follows its own clock, but never shows a withdrawn story; its responses go with it.
  if (article.state === 'withdrawn') subjects.push('most-read', 'most-read-today', 'responses')
  return subjects.map((subject) => ({ subject, language }))
}

const isDigest = (subject: string): subject is `digest:${number}` => subject.startsWith('digest:')

/** The pages and feeds that show a change, in its language and in all. @param languages of the publication */
export function pathsOfChange({ subject, language }: FeedChange, languages: readonly string[]): string[] {
  if (subject === '*' || subject === 'picks') return []
  const places = [undefined, ...(language === undefined ? languages : [language])]
  if (isDigest(subject))
    return places.map((one) => withLanguage(`/digests/${subject.slice('digest:'.length)}`, one))
  const { kind, slug } = splitSubject(subject)
  const page = kind === 'responses' && slug !== '' ? articlePath(slug) : folderOf(subject)
  return places.flatMap((one) => [
    withLanguage(page, one) || '/',
    ...feedFormats.map((format) => feedPath({ subject, language: one, format })),
  ])
}

/** Every feed that shows the responses of an article. */
export const changesOfResponses = (article: Pick<Article, 'language' | 'slug'>): FeedChange[] => [
  { subject: 'responses', language: article.language },
  { subject: `responses:${article.slug}`, language: article.language },
]

/** These are rendered as soon as they change; all others wait for their first reader. */
export const isRenderedAhead = (
  subject: FeedChange['subject'],
): subject is 'all' | `${'section' | 'dossier'}:${string}` =>
  subject === 'all' || subject.startsWith('section:') || subject.startsWith('dossier:')

/** What a poll is answered with. */
export interface StoredFeed {
  path: string
  contentType: string
  etag: string
  lastModified: Date
  body: Buffer
  gzip: Buffer
  br: Buffer
}

export type FoundFeed =
  { kind: 'feed'; feed: StoredFeed } | { kind: 'moved'; to: string } | { kind: 'retired' }
