import { z } from 'zod'
import { toPlainParagraphs } from '../plain-text.ts'
import { escapeHtml } from '../field-text.ts'
import { readJson } from '../json.ts'
import type { FeedItem } from './feed-item.ts'
import type { ReadFeed } from './feed-reader.ts'

const text = z.string().catch('')
const author = z.object({ name: text }).catch({ name: '' })
const attachment = z.object({
  url: text,
  mime_type: text,
  size_in_bytes: z.number().optional().catch(undefined),
})
const item = z.object({
  id: z.union([z.string(), z.number().transform(String)]).catch(''),
  url: text,
  external_url: text,
  title: text,
  content_html: text,
  content_text: text,
  summary: text,
  image: text,
  banner_image: text,
  date_published: text,
  date_modified: text,
  language: text,
  author: author.optional(),
  authors: z.array(author).catch([]),
  tags: z.array(text).catch([]),
  attachments: z.array(attachment.catch({ url: '', mime_type: '', size_in_bytes: undefined })).catch([]),
})
const jsonFeed = z.object({
  version: z.string().regex(/^https?:\/\/jsonfeed\.org\/version\//),
  title: text,
  home_page_url: text,
  language: text,
  author: author.optional(),
  authors: z.array(author).catch([]),
  // What is no item is told as one that has nothing.
  items: z.array(item.catch(item.parse({}))),
})

/**
 * JSON Feed 1 and 1.1; undefined for what is none.
 * @param url of the document
 */
export function readJsonFeed(body: Buffer, url: string): ReadFeed | undefined {
  const read = jsonFeed.safeParse(readJson(body))
  if (!read.success) return undefined
  const { title, home_page_url: home, language, items, ...rest } = read.data
  const authors = authorsOf(rest)
  return {
    title: escapeHtml(title),
    link: home === '' ? '' : (URL.parse(home, url)?.href ?? ''),
    language,
    isAtom: true,
    generator: '',
    ttlMinutes: undefined,
    items: items.map((one) => toItem(one, authors)),
  }
}

const authorsOf = ({ author, authors }: Pick<z.infer<typeof item>, 'author' | 'authors'>): string[] =>
  [...authors, ...(author ? [author] : [])].map(({ name }) => escapeHtml(name)).filter((name) => name !== '')

function toItem(one: z.infer<typeof item>, feedAuthors: string[]): FeedItem {
  const urlOf = (url: string) => (url === '' ? undefined : { url, base: undefined })
  const authors = authorsOf(one)
  return {
    title: escapeHtml(one.title),
    language: one.language,
    link: urlOf(one.url || one.external_url),
    sharesPage: false,
    guid: one.id,
    dates: [one.date_published, one.date_modified].filter((date) => date !== ''),
    modified: one.date_modified || one.date_published,
    html: one.content_html || toPlainParagraphs(one.content_text),
    htmlBase: undefined,
    summary: escapeHtml(one.summary),
    authors: authors.length > 0 ? authors : feedAuthors,
    tags: one.tags.map(escapeHtml),
    picture: urlOf(one.image || one.banner_image),
    enclosures: one.attachments.map(({ url, mime_type: type, size_in_bytes: size }) => ({
      url,
      base: undefined,
      type,
      length: String(size ?? ''),
    })),
    media: [],
    line: 0,
  }
}
