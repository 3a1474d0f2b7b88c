import { Feed, type Extension, type Item } from 'feed'
import type { Picture } from '../domain/articles/article.ts'
import { generator, type FeedContent, type FeedIcon, type FeedItem } from './feed-content.ts'
import { escapeXml } from './xml.ts'

/** Minutes: news is asked for at least this often by readers that follow it. */
const ttl = 5

const namespaces = {
  atom: 'http://www.w3.org/2005/Atom',
  content: 'http://purl.org/rss/1.0/modules/content/',
  dc: 'http://purl.org/dc/elements/1.1/',
  media: 'http://search.yahoo.com/mrss/',
  slash: 'http://purl.org/rss/1.0/modules/slash/',
  wfw: 'http://wellformedweb.org/CommentAPI/',
}
const rootElement = `<rss version="2.0"${Object.entries(namespaces)
  .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
  .join('')}>`

/** RSS 2.0. `updatedAt` is the last change of the body. */
export function writeRss(content: FeedContent, updatedAt: Date): string {
  const feed = new Feed({
    title: text(content.title),
    link: content.pageUrl,
    description: text(content.description),
    updated: updatedAt,
    docs: 'https://www.rssboard.org/rss-specification',
    generator,
    language: content.language,
    ttl,
    copyright: text(content.copyright),
    feedLinks: { rss: content.selfUrl('rss.xml') },
    ...(content.icon && { image: content.icon.url }),
  })
  if (content.icon) feed.addExtension(image(content, content.icon))
  for (const item of content.items) feed.addItem(toItem(item, content))
  const stylesheet = `<?xml-stylesheet type="text/css" href="${attribute(content.stylesheetUrl)}"?>`
  return feed
    .rss2()
    .replace(/<rss [^<>]*>/, () => `${stylesheet}\n${rootElement}`)
    .replace(namedReference, (all, name: string | undefined) => (name ? (hexadecimal[name] ?? all) : all))
    .concat('\n')
}

/** In the place of the library's own, which lacks the size: readers would take 88 × 31. */
const image = ({ title, pageUrl }: FeedContent, { url, size }: FeedIcon): Extension =>
  element('image', {
    title: { _text: text(title) },
    url: { _text: text(url) },
    link: { _text: text(pageUrl) },
    width: { _text: size },
    height: { _text: size },
  })

/**
 * `feed` writes the elements it knows; the extensions replace or add what it cannot say: a title as text, the one
 * dc:creator, media with their alt text, and so on. Each name may stand once, with one or several contents.
 */
function toItem(item: FeedItem, content: FeedContent): Item {
  return {
    title: item.title,
    link: item.url,
    guid: item.guid,
    date: item.publishedAt,
    description: cdata(escapeXml(item.summary)),
    content: cdata(item.html),
    category: item.categories.map(({ name, url }) => ({ name: text(name), domain: attribute(url) })),
    extensions: [
      element('title', { _text: text(item.title) }),
      element('guid', { _text: text(item.guid), _attributes: { isPermaLink: 'false' } }),
      element('dc:creator', { _text: text(item.byline) }),
      element('atom:updated', { _text: item.updatedAt.toISOString() }),
      ...(item.language === content.language ? [] : [element('dc:language', { _text: item.language })]),
      ...media(item),
      ...responses(item),
    ],
  }
}

function media({ pictures, enclosure }: FeedItem): Extension[] {
  const shown = pictures.length > 0 ? [element('media:content', pictures.map(mediaContent))] : []
  if (!enclosure) return shown
  const { url, length, type } = enclosure
  return [
    ...shown,
    element('enclosure', { _attributes: { url: attribute(url), length, type: attribute(type) } }),
  ]
}

function mediaContent({ url, type, length, width, height, alt, credit }: Picture) {
  return {
    _attributes: {
      url: attribute(url),
      medium: 'image',
      type: type && attribute(type),
      fileSize: length,
      width,
      height,
    },
    'media:description': { _attributes: { type: 'plain' }, _text: text(alt) },
    ...(credit !== undefined && { 'media:credit': { _text: text(credit) } }),
  }
}

function responses({ responses: these }: FeedItem): Extension[] {
  if (!these) return []
  return [
    element('comments', { _text: text(these.pageUrl) }),
    element('wfw:commentRss', { _text: text(these.feedUrl) }),
    element('slash:comments', { _text: these.count }),
  ]
}

const element = (name: string, objects: object): Extension => ({
  name,
  objects: objects as Record<string, unknown>,
})

/** The writer below `feed` turns `&amp;` into `&` before it escapes: undone here, so that a literal `&amp;` stays one. */
const text = (value: string): string => value.replaceAll('&', '&amp;')

/** The RSS profile: readers that decode twice leave the hexadecimal references of a headline alone. Bodies are CDATA. */
const namedReference = /<!\[CDATA\[[^]*?\]\]>|&(amp|lt|gt);/g
const hexadecimal: Record<string, string> = { amp: '&#x26;', lt: '&#x3C;', gt: '&#x3E;' }

/** In attributes it escapes quotation marks alone. */
const attribute = (value: string): string =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\t\r\n]/g, ' ')

/** It splits the first `]]>` alone. The bodies are HTML, where the reference reads the same. */
const cdata = (html: string): string => html.replaceAll(']]>', ']]&gt;')
