import type { Face, SourceFailure, SourceKind } from '../../domain/sources/source.ts'
import type { NewSelection } from '../../store/articles/selections.ts'
import type { FoundSource, LanguageHome, StoredSource } from '../../store/sources/sources.ts'
import type { ArticleToPut } from '../articles/put-article.ts'

/** What a source needs of a site, whoever reads it. All of it @throws SiteFault */
export interface SiteReader {
  /** What can be followed at an address that a person has typed, the best first. @param kind which of them is wanted */
  discover(address: string, kind?: SourceKind): Promise<FoundSource[]>
  wordpress: WordpressReader
  feed: FeedReader
}

/** Lists are without texts, of a hundred at most. */
export interface WordpressReader {
  identify(site: Pick<Site, 'url'>): Promise<Face & { name: string; homes: LanguageHome[] }>
  /** Changed at or after an instant, the oldest change first. */
  listChanged(site: Site, since: Date, except: string[]): Promise<ItemMark[]>
  listNewest(site: Site, by: 'id' | 'date'): Promise<{ newest: ItemMark[]; isAll: boolean }>
  /** By id, from page 1; empty behind the last. */
  listPage(site: Site, page: number): Promise<ItemMark[]>
  /** Those of a hundred that everyone may read. */
  listPublic(site: Site, ids: string[]): Promise<ItemMark[]>
  /** Whether the site itself says that nobody may read it. */
  isGone(site: Site, id: string): Promise<boolean>
  /** With their texts, ten at most. */
  read(site: Site, ids: string[], context: ReadingContext): Promise<ReadItem[]>
}

/** What a feed said, and says back to be asked whether it has changed. */
type FeedConditions = Pick<StoredSource, 'etag' | 'lastModified'>

export interface FeedReader {
  /** Undefined where nothing has changed since `conditions`. */
  read(
    site: Site,
    conditions: FeedConditions | undefined,
    context: FeedContext,
  ): Promise<(FeedConditions & Pick<StoredSource, 'ttlMinutes' | 'home'> & { items: ReadItem[] }) | undefined>
}

export type Site = Pick<FoundSource, 'kind' | 'url' | 'home' | 'siteLanguage' | 'homes'> & {
  language: string | undefined
  since: Date | undefined
  /** A cache may hold the site as it was before somebody said that there is something new. */
  bypassCaches?: boolean
}

export interface ReadingContext {
  languages: string[]
  /** Where a local time without one was written. */
  zone: string
  /** The slugs of the sections that are here, by slug and by the slug of each of their names. */
  sections: ReadonlyMap<string, string>
  readAt: Date
}

export interface FeedContext extends ReadingContext {
  /** Which of these guids, or links, are known by which remote id. */
  findIds: (names: string[]) => Promise<Map<string, string>>
}

/** What a list tells of an item. */
export interface ItemMark {
  remoteId: string
  publishedAt: Date | undefined
  modifiedAt: Date | undefined
  /** It needs a password. */
  isProtected: boolean
  /** The address of its page. */
  link: string | undefined
}

export interface ReadItem extends ItemMark {
  guid: string | undefined
  title: string
  /** Undefined for what is skipped. */
  article: ArticleToPut | undefined
  selections: NewSelection[]
  /** Why it is skipped: `language`, `protected`, `unfit`. */
  reason: string | undefined
}

/** A site that does not answer as it should. */
export class SiteFault extends Error {
  readonly failure: SourceFailure
  /** Seconds, where the site says. */
  readonly retryAfter: number | undefined

  constructor(failure: SourceFailure, options: { retryAfter?: number | undefined; cause?: unknown } = {}) {
    super(`the site answers: ${failure}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'SiteFault'
    this.failure = failure
    this.retryAfter = options.retryAfter
  }
}
