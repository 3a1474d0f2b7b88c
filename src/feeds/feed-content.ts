import type { Enclosure, Picture } from '../domain/articles/article.ts'
import type { FeedFormat } from '../domain/feeds/feed.ts'

/** What a feed says, in whatever format. Texts are plain text; every URL is absolute. */
export interface FeedContent {
  /** The canonical URL of a format of this feed. */
  selfUrl: (format: FeedFormat) => string
  /** The page that shows the same to people. */
  pageUrl: string
  title: string
  description: string
  /** BCP 47. */
  language: string
  copyright: string
  /** The newsroom's own: square PNGs, because no reader shows an SVG. */
  icon: FeedIcon | undefined
  /** Style for people who open the feed in a browser. */
  stylesheetUrl: string
  items: FeedItem[]
}

export interface FeedIcon {
  url: string
  /** Of its sides, in pixels; RSS allows 144. */
  size: number
  /** For readers that show it large. */
  largeUrl: string
}

export interface FeedItem {
  guid: string
  url: string
  title: string
  summary: string
  html: string
  /** BCP 47. */
  language: string
  publishedAt: Date
  updatedAt: Date
  /** All names in one line. */
  byline: string
  authors: { name: string; url: string | undefined }[]
  categories: { name: string; url: string }[]
  pictures: Picture[]
  enclosure: Enclosure | undefined
  /** Only where responses are open or exist. */
  responses: { pageUrl: string; feedUrl: string; count: number } | undefined
}

/** Names the program in every feed. */
export const generator = 'Dépêche'
