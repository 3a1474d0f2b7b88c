import { createHash } from 'node:crypto'
import { generator, type FeedContent, type FeedItem } from './feed-content.ts'
import { uuidUrn } from './uuid.ts'
import { element, escapeXml, textElement } from './xml.ts'

/** Atom 1.0 (RFC 4287). `updatedAt` is the last change of the body. */
export function writeAtom(content: FeedContent, updatedAt: Date): string {
  const selfUrl = content.selfUrl('atom.xml')
  const head = [
    textElement('id', selfUrl),
    textElement('title', content.title),
    textElement('subtitle', content.description),
    textElement('updated', updatedAt.toISOString()),
    textElement('generator', generator),
    textElement('rights', content.copyright),
    ...(content.icon ? [textElement('icon', content.icon.url)] : []),
    element('link', { rel: 'self', type: 'application/atom+xml', href: selfUrl }),
    element('link', { rel: 'alternate', type: 'text/html', href: content.pageUrl }),
    element('author', {}, textElement('name', content.copyright)),
  ]
  const namespaces = {
    xmlns: 'http://www.w3.org/2005/Atom',
    'xmlns:thr': 'http://purl.org/syndication/thread/1.0',
    'xml:lang': content.language,
  }
  const updates = apart(content.items.map((item) => item.updatedAt))
  const entries = content.items.map((item, n) =>
    entry({ ...item, updatedAt: updates[n] ?? item.updatedAt }, content.language),
  )
  const lines = [...head, ...entries]
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    `<?xml-stylesheet type="text/css" href="${escapeXml(content.stylesheetUrl)}"?>`,
    element('feed', namespaces, `\n${lines.join('\n')}\n`),
    '',
  ].join('\n')
}

function entry(item: FeedItem, language: string): string {
  const lines = [
    textElement('id', atomId(item.guid)),
    textElement('title', item.title),
    element('link', { rel: 'alternate', type: 'text/html', href: item.url }),
    textElement('published', item.publishedAt.toISOString()),
    textElement('updated', item.updatedAt.toISOString()),
    ...authors(item),
    ...item.categories.map(({ name, url }) => element('category', { term: name, scheme: url, label: name })),
    ...responses(item),
    ...(item.enclosure ? [enclosure(item.enclosure)] : []),
    textElement('summary', item.summary),
    ...(item.html === '' ? [] : [element('content', { type: 'html' }, escapeXml(item.html))]),
  ]
  const attributes = { 'xml:lang': item.language === language ? undefined : item.language }
  return element('entry', attributes, `\n${lines.join('\n')}\n`)
}

/** RFC 3987: a scheme, and then nothing that an IRI cannot hold. */
const iri = /^[A-Za-z][A-Za-z0-9+.-]*:(?:%[0-9A-Fa-f]{2}|[^\s"<>\\^`{|}%\p{C}])+$/u

/**
 * An id has to be an IRI (RFC 4287 §4.2.6), a guid of RSS need not be one. What is one stays what readers know; of
 * everything else a UUID is made that is the same for ever.
 */
const atomId = (guid: string): string =>
  iri.test(guid) && (!/^https?:/i.test(guid) || URL.canParse(guid))
    ? guid
    : uuidUrn(createHash('sha256').update(guid).digest('hex'))

/**
 * Entries that changed at once differ by a millisecond each: a reader that orders by the time alone keeps the order of
 * the feed. Counted from the newest, so that what leaves the feed at its end changes no other entry.
 */
function apart(updates: Date[]): Date[] {
  const taken = new Set<number>()
  return updates.map((date) => {
    let at = date.getTime()
    while (taken.has(at)) at++
    taken.add(at)
    return new Date(at)
  })
}

function authors(item: FeedItem): string[] {
  const named = item.authors.length > 0 ? item.authors : [{ name: item.byline, url: undefined }]
  return named.map(({ name, url }) => {
    const uri = url === undefined ? '' : textElement('uri', url)
    return element('author', {}, textElement('name', name) + uri)
  })
}

const enclosure = ({ url, type, length, title }: NonNullable<FeedItem['enclosure']>): string =>
  element('link', { rel: 'enclosure', type, length: length || undefined, title, href: url })

/** RFC 4685. */
const responses = ({ responses: these }: FeedItem): string[] =>
  these
    ? [
        element('link', {
          rel: 'replies',
          type: 'application/atom+xml',
          href: these.feedUrl.replace(/rss\.xml$/, 'atom.xml'),
          'thr:count': these.count,
        }),
      ]
    : []
