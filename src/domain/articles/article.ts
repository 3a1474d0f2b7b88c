import { listFormat } from '../formats.ts'
import { textIn, type FeedText, type Links, type PerLanguage } from '../publication.ts'

/** How a text is written. */
export type Format = 'html' | 'markdown'

/** A story: draft, scheduled, published or withdrawn. */
export type ArticleState = 'draft' | 'scheduled' | 'published' | 'withdrawn'

/** The ways to select articles. */
export type SelectionKind = 'section' | 'dossier' | 'tag' | 'author'

export interface Selection {
  id: number
  kind: SelectionKind
  /** Keeps Arabic letters. */
  slug: string
  /** By language; a tag or author has one name for all, under `und`. */
  names: Record<string, string>
  descriptions: Record<string, string>
}

export interface Picture {
  url: string
  alt: string
  credit?: string
  type?: string
  /** Bytes. */
  length?: number
  width?: number
  height?: number
}

export const enclosureType = /^(?:audio|video)\/[\w.+-]{1,60}$|^application\/pdf$/

/** Audio, video or PDF that belongs to an article. */
export interface Enclosure {
  url: string
  /** As `enclosureType`. */
  type: string
  /** Bytes; 0 where nobody has said. */
  length: number
  title?: string
}

/** An article as everything that shows it needs it: with its selections, in the editor's order. */
export interface Article {
  id: number
  externalId: string
  /** Global and permanent; an imported one is kept as it was. */
  guid: string
  slug: string
  shortCode: string
  language: string
  title: string
  deck: string
  summary: string
  /** Sanitised, every URL absolute. */
  html: string
  /** What `html` was made of, where the desk wrote it so. */
  markdown: string | undefined
  /** What readers are told of a correction. */
  correction: string | undefined
  /** When the text of the correction last changed. */
  correctedAt: Date | undefined
  /** External id of the article that this one translates. */
  translationOf: string | undefined
  state: ArticleState
  /** The editor's date. */
  publishedAt: Date | undefined
  /** When it became public here; order, windows and "due" follow it. */
  firstPublicAt: Date | undefined
  withdrawnAt: Date | undefined
  withdrawnReason: string | undefined
  /** The newsroom's own page of it. */
  canonicalUrl: string | undefined
  /** As its source has it, else the publication. */
  links: Links
  feedText: FeedText | undefined
  /** The source that it comes from. */
  owner: { id: number; name: string } | undefined
  picture: Picture | undefined
  enclosure: Enclosure | undefined
  areResponsesOpen: boolean
  responsesCount: number
  viewsTotal: number
  oldPath: string | undefined
  /** Since when a correction of the desk or the API keeps sources from writing its text. */
  heldAt: Date | undefined
  createdAt: Date
  updatedAt: Date
  /** When its text last changed; undefined: it says what it said first. */
  writtenAt: Date | undefined
  sections: Selection[]
  dossiers: Selection[]
  tags: Selection[]
  authors: Selection[]
}

/** What an article says, or said: as it was written, by whom (`nameOfActor`; undefined: it came with an import) and when. */
export interface ArticleBody extends Pick<Article, 'title' | 'deck'> {
  /** Undefined: it is what the article says now. */
  id: number | undefined
  body: string
  format: Format
  writtenBy: string | undefined
  writtenAt: Date
}

/** A reader's reply or a trackback under an article. */
export interface Response {
  id: number
  articleId: number
  externalId: string
  guid: string
  kind: 'response' | 'trackback'
  author: string
  authorUrl: string | undefined
  html: string
  publishedAt: Date
}

/** Readers know of it, be it by its notice alone. */
export const isPublic = ({ state }: Article): boolean => state === 'published' || state === 'withdrawn'

/** The name in a language, else in any: a section named in French alone still has a name on an Arabic page. */
export const nameOf = (selection: Pick<Selection, 'names' | 'slug'>, language: string): string =>
  selection.names[language] ?? selection.names['und'] ?? Object.values(selection.names)[0] ?? selection.slug

const shortlyMs = 5 * 60_000

/** When readers were given another text than the first: what is mended at once is not worth a word. */
export function rewrittenAt(
  article: Pick<Article, 'writtenAt' | 'publishedAt' | 'firstPublicAt'>,
): Date | undefined {
  const { writtenAt, publishedAt = writtenAt, firstPublicAt = writtenAt } = article
  if (!writtenAt || !publishedAt || !firstPublicAt || writtenAt < firstPublicAt) return undefined
  return writtenAt.getTime() - publishedAt.getTime() >= shortlyMs ? writtenAt : undefined
}

/** Joined as one byline; the desk's name where there is no author. */
export function bylineOf(
  article: Pick<Article, 'language'> & { authors: Pick<Selection, 'names' | 'slug'>[] },
  deskName: PerLanguage<string>,
): string {
  const names = article.authors.map((author) => nameOf(author, article.language))
  if (names.length === 0) return textIn(deskName, article.language)
  return listFormat(article.language, { style: 'long', type: 'conjunction' }).format(names)
}

export const articlePath = (slug: string): string => `/articles/${encodeURIComponent(slug)}`
export const shortPath = (shortCode: string): string => `/s/${shortCode}`

export const pathOfKind = {
  section: 'sections',
  dossier: 'dossiers',
  tag: 'tags',
  author: 'authors',
} as const
export const selectionPath = (selection: Pick<Selection, 'kind' | 'slug'>): string =>
  `/${pathOfKind[selection.kind]}/${encodeURIComponent(selection.slug)}`
