import { createHash } from 'node:crypto'
import type { FeedFormat } from '../domain/feeds/feed.ts'
import { cleanLine } from '../domain/text.ts'
import { writeAtom } from './atom.ts'
import type { FeedContent, FeedItem } from './feed-content.ts'
import { compress } from './compress.ts'
import { nameOfSource, toItem, Unshowable, type FeedSource, type ItemFrame } from './items.ts'
import { writeJson } from './json.ts'
import { writeOpml } from './opml.ts'
import { writeRss } from './rss.ts'
import { writeSitemap } from './sitemap.ts'

export type FeedWriter = ReturnType<typeof createFeedWriter>
export type ComposedFeed = ReturnType<FeedWriter['compose']>

/** What could not be shown, and why: a code that the desk translates, and a sentence for programs. */
type LeftOut = ReturnType<typeof nameOfSource> & { code: Unshowable['code'] | 'other'; reason: string }

export type FeedChannel = Omit<FeedContent, 'items'>

const formats: Record<FeedFormat, (content: FeedContent, updatedAt: Date) => string> = {
  'rss.xml': writeRss,
  'atom.xml': writeAtom,
  'feed.json': writeJson,
}

/** Raise it when the bytes of unchanged content change: every feed is rendered again. */
const version = 9

export function createFeedWriter() {
  return {
    version,
    compress,
    opml: writeOpml,
    sitemap: writeSitemap,
    /** One bad source never removes another: what cannot be shown is left out and named. */
    compose(channel: FeedChannel, sources: FeedSource[], frame: ItemFrame) {
      const items: FeedItem[] = []
      const leftOut: LeftOut[] = []
      for (const source of sources) {
        try {
          items.push(toItem(source, frame))
        } catch (error) {
          leftOut.push({
            ...nameOfSource(source),
            code: error instanceof Unshowable ? error.code : 'other',
            reason: error instanceof Error ? error.message : String(error),
          })
        }
      }
      const { title, description, copyright } = channel
      const content = {
        ...channel,
        title: cleanLine(title),
        description: cleanLine(description),
        copyright: cleanLine(copyright),
        items,
      }
      return { items: items.length, leftOut, write: (format: FeedFormat) => write(format, content) }
    },
  }
}

/** Stands where the date of the last change goes until it is known whether there was one. */
const undated = new Date(0)

/** The feed's own date comes before those of its items: the first match is it. JSON Feed has none. */
const dateElement: Record<FeedFormat, ((date: Date) => string) | undefined> = {
  'rss.xml': (date) => `<lastBuildDate>${date.toUTCString()}</lastBuildDate>`,
  'atom.xml': (date) => `<updated>${date.toISOString()}</updated>`,
  'feed.json': undefined,
}

function write(format: FeedFormat, content: FeedContent) {
  const body = formats[format](content, undated)
  const contentSha256 = createHash('sha256').update(body).digest()
  const dateOf = dateElement[format]
  return {
    /** Of the body without its own date: the same content has the same hash. */
    contentSha256,
    /** The body, dated. */
    bytes: (lastModified: Date) =>
      Buffer.from(dateOf ? body.replace(dateOf(undated), dateOf(lastModified)) : body),
  }
}
