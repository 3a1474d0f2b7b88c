import { SiteFault, type SiteReader, type WordpressReader } from '../../services/sources/site.ts'
import type { FoundSource } from '../../store/sources/sources.ts'
import { charsetOf, type ServerAnswer } from '../fetch-public.ts'
import { readFeed } from '../feed/feed.ts'
import { plainText } from '../plain-text.ts'
import { homeOf } from './live-feed.ts'
import { faultOf, type SiteClient } from './site-client.ts'

/** Where feeds lie that no page names. */
const usualFeeds = ['feed/atom/', 'feed/', 'atom.xml', 'rss.xml', 'feed.json', 'index.xml']
/** From the one that says most of its items. */
const feedTypes = [
  ...['application/atom+xml', 'application/feed+json', 'application/rss+xml'],
  ...['application/xml', 'text/xml', 'application/json'],
]

/**
 * What can be followed at an address that a person has typed: the API of a WordPress, else its feeds, the one that says
 * most first.
 */
export function createDiscovery(
  visit: SiteClient['visit'],
  { identify }: Pick<WordpressReader, 'identify'>,
): SiteReader['discover'] {
  const tryFeed = async (url: string) => {
    const answer = await visit(url).catch(ifNothing)
    return answer && feedIn(answer)
  }

  const tryApi = async (
    url: string,
    { title, language: siteLanguage }: ReturnType<typeof readPage>,
    isNeeded: boolean,
  ): Promise<FoundSource | undefined> => {
    const known = await identify({ url }).catch(isNeeded ? ifClosed : ifNothing)
    return known && { ...known, kind: 'wordpress', url, siteLanguage, name: plainText(known.name) || title }
  }

  return async (address, kind): Promise<FoundSource[]> => {
    const answer = await arrive(visit, address)
    const feed = await feedIn(answer)
    if (feed) return [feed.found]
    const page = readPage(answer)
    const api = page.api ?? new URL('/wp-json/', answer.url).href
    const first = await tryApi(api, page, page.api !== undefined && kind !== 'feed')
    const found = first ? [first] : []
    const base = first ? first.home.replace(/(?<!\/)\/*$/, '/') : answer.url
    const usual = usualFeeds.map((path) => new URL(path, base).href)
    // One feed is enough: what it holds is what the others hold, unless it holds nothing.
    let empty: FoundSource[] = []
    for (const url of new Set([...page.feeds, ...usual])) {
      const other = await tryFeed(url)
      if (other && !other.isEmpty) return [...found, other.found]
      if (other && empty.length === 0) empty = [other.found]
    }
    return [...found, ...empty]
  }
}

/** Nothing of the kind is there; a site that is away is told. */
function ifNothing(error: unknown): undefined {
  if (error instanceof SiteFault && error.failure !== 'busy') return undefined
  throw error
}

/** An API that the site names is there: one that is broken for now is not passed over for the feed. */
function ifClosed(error: unknown): undefined {
  if (error instanceof SiteFault && ['unreachable', 'broken'].includes(error.failure)) throw error
  ifNothing(error)
}

/** People leave the scheme out, and some sites have no https yet. */
async function arrive(visit: SiteClient['visit'], address: string): Promise<ServerAnswer> {
  const typed = address.trim()
  const urls = /^https?:\/\//i.test(typed) ? [typed] : [`https://${typed}`, `http://${typed}`]
  let last: unknown = new SiteFault('unreachable')
  for (const url of urls) {
    try {
      const answer = await visit(url)
      if (answer.status === 200) return answer
      last = faultOf(answer, 'gone')
    } catch (error) {
      last = error
    }
  }
  throw last
}

async function feedIn(answer: ServerAnswer): Promise<{ found: FoundSource; isEmpty: boolean } | undefined> {
  const { url, body, status } = answer
  if (status !== 200) return undefined
  const reading = await readFeed({ url, body, charset: charsetOf(answer) }).catch(() => undefined)
  if (!reading) return undefined
  const { title, link, language, items } = reading.feed
  const home = homeOf(link, url)
  const found: FoundSource = {
    kind: 'feed',
    url,
    home,
    name: plainText(title) || new URL(home).host,
    siteLanguage: language,
    homes: [],
    face: '',
  }
  return { found, isEmpty: items.length === 0 }
}

const apiRelation = 'https://api.w.org/'

function readPage({ url, body, header }: ServerAnswer) {
  const html = body.toString('utf8', 0, 500_000)
  const base = URL.parse(baseHref.exec(html)?.[1] ?? '', url)?.href ?? url
  const links = [
    ...Array.from((header('link') ?? '').matchAll(headerLink), ([, href = '', rest = '']) => {
      return { ...attributesOf(rest.replace(/[;,]/g, ' ')), href, base: url }
    }),
    ...Array.from(html.matchAll(link), ([tag]) => ({ ...attributesOf(tag), base })),
  ]
  const api = links.find(({ rels }) => rels.includes(apiRelation))
  const feeds = links
    .filter(
      ({ rels, type, href }) => rels.includes('alternate') && feedTypes.includes(type) && !isAside(href),
    )
    .sort((a, b) => feedTypes.indexOf(a.type) - feedTypes.indexOf(b.type))
  const resolve = (one: { href: string; base: string }) => URL.parse(one.href, one.base)?.href
  return {
    title: plainText(/<title\b[^<>]*>([^<]{0,300})/i.exec(html)?.[1] ?? '') || new URL(url).host,
    language: /<html\b[^>]{0,1000}?\slang=["']?([\w-]{2,20})/i.exec(html)?.[1] ?? '',
    api: api && resolve(api),
    feeds: feeds.flatMap((one) => resolve(one) ?? []),
  }
}

/** The feed of responses, or of one article's. */
const isAside = (href: string): boolean => /comments?\b/i.test(href)

const baseHref = /<base\b[^<>]*?\shref\s*=\s*["']?([^\s"'<>]+)/i
/** RFC 8288. */
const headerLink = /<([^<>]+)>([^<]*)/g
const link = /<link\b(?:"[^"<]*"|'[^'<]*'|[^<>"'])*>/gi
const attribute = /\s(rel|type|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi

/** Of two of one name the first counts. */
function attributesOf(tag: string) {
  const found = [...tag.matchAll(attribute)].reverse().map(([, name = '', ...values]) => {
    return [name.toLowerCase(), (values.find(Boolean) ?? '').replace(/&(?:amp|#0*38);/gi, '&').trim()]
  })
  const { rel = '', type = '', href = '' } = Object.fromEntries(found) as Record<string, string>
  return { rels: rel.toLowerCase().split(/\s+/), type: type.toLowerCase().split(/[;\s]/)[0] ?? '', href }
}
