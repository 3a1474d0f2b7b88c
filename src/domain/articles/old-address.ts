import type { FeedFormat } from '../feeds/feed.ts'
import { slugOf } from './slug.ts'

/** What an address of the newsroom's former WordPress asked for. */
export interface OldAddress {
  /** A feed of it, in this format; undefined: the page. */
  format: FeedFormat | undefined
  /** Of the path's prefix or of `?lang=`, as Polylang and WPML write them. */
  language: string | undefined
  of:
    | { kind: 'all' | 'responses' }
    | { kind: 'post'; id: string }
    | { kind: 'category' | 'tag' | 'author'; slug: string }
    /** A day, a month or a year, as it is written: `2026-11`. */
    | { kind: 'period'; date: string }
    /** `paths`: canonical, the likeliest first; `slug`: the last word of the permalink. */
    | { kind: 'permalink'; paths: string[]; slug: string }
    /** Pages, attachments and terms known by number alone: nothing here says what they were. */
    | { kind: 'unknown' }
}

const unreserved = /[A-Za-z0-9\-._~]/

/**
 * The one spelling of a path that all equivalent ones share: percent-encoded where it must be, whatever case the
 * hexadecimal digits had (RFC 3986 §6.2.2), without a slash at the end, in lower case as permalinks are.
 */
export function canonicalPath(path: string): string {
  const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      // What separates segments or begins a query stays encoded.
      return decodeURIComponent(escapes).replace(/[^]/gu, (character) =>
        unreserved.test(character) || character > '\u007F' ? character : encodeURIComponent(character),
      )
    } catch {
      return escapes
    }
  })
  const url = new URL('http://newsroom')
  url.pathname = decoded.normalize()
  return url.pathname.toLowerCase().replace(/(?<!\/)\/+$/, '')
}

const kindOfFeed: Record<string, FeedFormat> = {
  feed: 'rss.xml',
  rss: 'rss.xml',
  rss2: 'rss.xml',
  rdf: 'rss.xml',
  atom: 'atom.xml',
}

/** `wp-rss2.php`, `wp-commentsrss2.php`: as it was before permalinks. */
const program = /^\/wp-(comments)?(feed|rss2?|rdf|atom)\.php$/

/** @param languages the publication's: other prefixes are part of the path */
export function readOldAddress(url: Pick<URL, 'pathname' | 'searchParams'>, languages: string[]): OldAddress {
  const full = canonicalPath(url.pathname)
  const segments = full.split('/').slice(1)
  const isLanguage = (text: string | null) =>
    languages.find((language) => language.toLowerCase() === text?.toLowerCase())
  const prefix = isLanguage(segments[0] ?? null)
  if (prefix !== undefined) segments.shift()
  const language = prefix ?? isLanguage(url.searchParams.get('lang'))
  if (segments[0] === 'index.php') segments.shift()
  const [, isOfResponses, type = ''] = program.exec(`/${segments.join('/')}`) ?? []
  const ofProgram = kindOfFeed[type]
  if (ofProgram) return { language, format: ofProgram, of: { kind: isOfResponses ? 'responses' : 'all' } }

  const { format, rest } = withoutEndings(segments)
  if (rest.length === 0) {
    const asked = readQuery(url.searchParams)
    return { language, format: asked.format ?? format, of: asked.of ?? { kind: 'all' } }
  }
  return { language, format, of: readPath(rest, { full, prefix, isFeed: format !== undefined }) }
}

/** `/feed/atom`, `/trackback`, `/amp`, `/embed`, `/comment-page-2`, `/page/2`: the same thing in another form. */
function withoutEndings(segments: string[]): { rest: string[]; format: FeedFormat | undefined } {
  const rest = [...segments]
  let format: FeedFormat | undefined
  for (;;) {
    const [before, last] = [rest.at(-2), rest.at(-1) ?? '']
    if (before === 'feed' && kindOfFeed[last]) {
      format = kindOfFeed[last]
      rest.length -= 2
    } else if (last === 'feed') {
      format = 'rss.xml'
      rest.pop()
    } else if (before === 'page' && /^\d+$/.test(last)) rest.length -= 2
    else if (/^(?:trackback|amp|embed|comment-page-\d+)$/.test(last)) rest.pop()
    else return { rest, format }
  }
}

/** Plain permalinks: `/?p=12`, `/?feed=rss2&tag=port`. */
function readQuery(query: URLSearchParams): { of?: OldAddress['of']; format?: FeedFormat } {
  const feed = query.get('feed') ?? ''
  const [, isOfResponses, type = ''] = /^(comments-)?(feed|rss2?|rdf|atom)$/.exec(feed) ?? []
  const format = kindOfFeed[type]
  const of = readThing(query) ?? (isOfResponses ? { kind: 'responses' as const } : undefined)
  return { ...(of && { of }), ...(format && { format }) }
}

function readThing(query: URLSearchParams): OldAddress['of'] | undefined {
  const [id, period] = [query.get('p'), query.get('m')]
  if (id !== null) return /^\d{1,18}$/.test(id) ? { kind: 'post', id } : { kind: 'unknown' }
  const name = query.get('name')
  if (name !== null) return { kind: 'permalink', paths: [], slug: slugOf(name) }
  for (const [key, kind] of Object.entries(kindOfKey)) {
    const slug = query.get(key)?.split('/').at(-1)
    if (slug !== undefined) return { kind, slug: slugOf(slug) }
  }
  if (period !== null) return readPeriod(period.replace(/^(\d{4})(\d\d)?(\d\d)?.*$/, '$1-$2-$3').split('-'))
  const isByNumber = ['page_id', 'attachment_id', 'cat', 'author'].some((key) => query.has(key))
  return isByNumber ? { kind: 'unknown' } : undefined
}

const kindOfKey = { category_name: 'category', tag: 'tag', author_name: 'author' } as const

interface PathContext {
  full: string
  prefix: string | undefined
  isFeed: boolean
}

function readPath(rest: string[], { full, prefix, isFeed }: PathContext): OldAddress['of'] {
  const [first = '', ...others] = rest
  if (first === 'comments' && others.length === 0 && isFeed) return { kind: 'responses' }
  // WordPress nests categories: the last one counts.
  if ((first === 'category' || first === 'tag' || first === 'author') && others.length > 0) {
    return { kind: first, slug: slugOf(decode(others.at(-1) ?? '')) }
  }
  if (rest.length <= 3 && rest.every((part) => /^\d+$/.test(part))) return readPeriod(rest)
  const paths = [full]
  const add = (segments: string[]) => {
    const path = `/${segments.join('/')}`
    if (prefix !== undefined) paths.push(`/${prefix.toLowerCase()}${path}`)
    paths.push(path)
  }
  add(rest)
  // A page of a long post, or an attachment below its post.
  const parent = rest.at(-2) === 'attachment' ? rest.slice(0, -2) : rest.slice(0, -1)
  if (parent.length > 0) add(parent)
  const last = /^\d+$/.test(rest.at(-1) ?? '') ? rest.at(-2) : rest.at(-1)
  const slug = decode(last ?? '').replace(/\.html?$/, '')
  return { kind: 'permalink', paths: [...new Set(paths)], slug: slug.includes('.') ? '' : slugOf(slug) }
}

function readPeriod(parts: string[]): OldAddress['of'] {
  const [year = '', ...rest] = parts.filter((part) => part !== '')
  const isShaped = /^[12]\d{3}$/.test(year) && rest.every((part) => /^\d{1,2}$/.test(part))
  const date = [year, ...rest.map((part) => part.padStart(2, '0'))].join('-')
  const at = new Date(isShaped ? date : NaN)
  // A 31st of April becomes a 1st of May.
  const isDate = !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date)
  return isDate ? { kind: 'period', date } : { kind: 'unknown' }
}

/** As it stands where it is malformed. */
export function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
