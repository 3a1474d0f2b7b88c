import sanitizeHtml from 'sanitize-html'
import { atField, invalid } from '../../errors.ts'
import { withoutUndefined } from '../fields.ts'
import { cleanText, onOneLine } from '../text.ts'

/** Inline and block elements that a story is made of; everything else is removed, its text kept. */
export const storyTags =
  'p br hr h2 h3 h4 h5 h6 a strong b em i u s del ins mark small sub sup abbr cite q dfn code kbd samp var pre time wbr bdi bdo ruby rt rp ' +
  'blockquote ul ol li dl dt dd figure figcaption img audio video source table caption thead tbody tfoot tr th td ' +
  'div span details summary address iframe'

/** What a reader may not put on a newsroom's page: pictures tell a stranger who reads them, players load his pages. */
const mediaTags = new Set('figure figcaption img audio video source iframe'.split(' '))

/** What goes with its text: nobody was to read it. */
export const nonTextTags = 'script style textarea option noscript template title xmp noembed noframes'.split(
  ' ',
)

/** Players that may stand in a page; a frame from anywhere else becomes a link. */
export const playerHosts: ReadonlySet<string> = new Set([
  'www.youtube.com',
  'www.youtube-nocookie.com',
  'player.vimeo.com',
  'www.dailymotion.com',
  'geo.dailymotion.com',
  'w.soundcloud.com',
  'open.spotify.com',
])

const linkSchemes = new Set(['http:', 'https:', 'mailto:', 'tel:'])
const mediaSchemes = new Set(['http:', 'https:'])

/** Absolute, in one of the schemes; undefined for everything else, such as a fragment or `javascript:`. */
export function toAbsoluteUrl(
  value: string | undefined,
  baseUrl: string | undefined,
  schemes: ReadonlySet<string> = mediaSchemes,
): string | undefined {
  const text = value?.trim() ?? ''
  if (text === '' || text.startsWith('#')) return undefined
  const url = URL.parse(text, baseUrl)
  return url && schemes.has(url.protocol) && url.username === '' ? url.href : undefined
}

/** Before every id of a story: none is ever one of the page around it, or a name that its scripts know. */
const anchorPrefix = 'story-'

/** The same for an id that has it already: a story is sanitised more than once. Undefined for what is no id. */
function toAnchor(id: string | undefined): string | undefined {
  const name = id?.trim() ?? ''
  if (name === '' || name.length > 200 || /\s/.test(name)) return undefined
  return name.startsWith(anchorPrefix) ? name : anchorPrefix + name
}

type Attributes = Record<string, string>

interface Place {
  baseUrl: string | undefined
  pageUrl: string
  isResponse: boolean
}

function transformers(place: Place): Record<string, string | sanitizeHtml.Transformer> {
  const { baseUrl, pageUrl, isResponse } = place
  const rel = isResponse ? 'ugc nofollow' : undefined
  const linkTo = (url: string | undefined, text: string | undefined): sanitizeHtml.Tag => ({
    tagName: 'a',
    attribs: withoutUndefined({ class: 'embed-link', href: url, rel }),
    ...(url !== undefined && { text: text?.trim() || url }),
  })
  const media = (value: string | undefined) => toAbsoluteUrl(value, baseUrl)
  const link = (value: string | undefined) => {
    const anchor = /^\s*#/.test(value ?? '') ? toAnchor(value?.trim().slice(1)) : undefined
    return anchor === undefined ? toAbsoluteUrl(value, baseUrl, linkSchemes) : `${pageUrl}#${anchor}`
  }
  const withUrls =
    (names: string[], more: Attributes = {}) =>
    (tagName: string, attributes: Attributes): sanitizeHtml.Tag => {
      const urls = Object.fromEntries(names.map((name) => [name, media(attributes[name])]))
      return { tagName, attribs: withoutUndefined({ ...attributes, ...more, ...urls }) }
    }
  const quoted = withUrls(['cite'])
  const player = withUrls(['src', 'poster'], { controls: '', preload: 'none' })
  return {
    h1: 'h2',
    center: 'div',
    strike: 's',
    tt: 'code',
    '*': (tagName, attributes) => ({
      tagName,
      attribs:
        'id' in attributes ? withoutUndefined({ ...attributes, id: toAnchor(attributes['id']) }) : attributes,
    }),
    a: (tagName, { name, ...attributes }) => ({
      tagName,
      attribs: withoutUndefined({ id: name, ...attributes, href: link(attributes['href']), rel }),
    }),
    img: (tagName, attributes) => {
      const isPixel = [attributes['width'], attributes['height']].some((size) => size === '1' || size === '0')
      const src = isPixel ? undefined : media(attributes['src'])
      return { tagName, attribs: withoutUndefined({ alt: '', ...attributes, src, loading: 'lazy' }) }
    },
    audio: player,
    video: player,
    source: withUrls(['src']),
    blockquote: quoted,
    q: quoted,
    iframe: (tagName, { src: written, ...attributes }) => {
      const src = media(written)
      const url = src === undefined ? undefined : URL.parse(src)
      if (!url || isResponse || url.protocol !== 'https:' || !playerHosts.has(url.hostname)) {
        return linkTo(src, attributes['title'])
      }
      return {
        tagName,
        attribs: withoutUndefined({
          // First, where withFallbackLinks looks for it.
          src,
          ...attributes,
          loading: 'lazy',
          sandbox: 'allow-scripts allow-same-origin allow-popups allow-presentation',
        }),
      }
    },
    embed: (_tagName, attributes) => linkTo(media(attributes['src']), attributes['title']),
    object: (_tagName, attributes) => linkTo(media(attributes['data']), attributes['title']),
  }
}

const options = (place: Place): sanitizeHtml.IOptions => ({
  allowedTags: storyTags.split(' ').filter((tag) => !place.isResponse || !mediaTags.has(tag)),
  allowedAttributes: {
    '*': ['dir', 'lang', 'title', 'class', 'id'],
    a: ['href', 'hreflang', ...(place.isResponse ? ['rel'] : [])],
    img: ['src', 'alt', 'width', 'height', 'loading'],
    audio: ['src', 'controls', 'preload'],
    video: ['src', 'controls', 'preload', 'poster', 'width', 'height'],
    source: ['src', 'type'],
    blockquote: ['cite'],
    q: ['cite'],
    del: ['datetime'],
    ins: ['datetime'],
    time: ['datetime'],
    ol: ['start', 'reversed', 'type'],
    li: ['value'],
    th: ['colspan', 'rowspan', 'scope'],
    td: ['colspan', 'rowspan'],
    details: ['open'],
    iframe: ['src', 'width', 'height', 'allowfullscreen', 'loading', 'sandbox'],
  },
  allowedClasses: { '*': ['alignleft', 'alignright', 'aligncenter', 'embed-link'] },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowProtocolRelative: false,
  transformTags: transformers(place),
  nonTextTags,
  nestingLimit: 100,
})

/** A frame without JavaScript, in a mail or in a reader that drops frames, still leads somewhere. */
const withFallbackLinks = (html: string): string =>
  html.replace(
    /(<iframe src="([^"<>]*)"[^<>]*>)[^<]*<\/iframe>(?!<a class="embed-link")/g,
    (_all, opening: string, src: string) =>
      `${opening}</iframe><a class="embed-link" href="${src}">${src}</a>`,
  )

/** What led nowhere: pictures without an address, and what is left of embedded objects. */
const emptied =
  /<(?:img|source)(?! [^<>]*(?<= )src=")[^<>]*>(?:<\/source>)?|<a(?: class="embed-link")?(?: rel="[^"<>]*")?><\/a>/g

const maxOpen = 1_000
export const tooManyOpen = () =>
  invalid(
    'html_never_closed',
    `The HTML leaves more than ${maxOpen} elements open: close them where they end.`,
    atField('html', 'must close its elements'),
  )

/** A story with its captions; pictures are linked, not sent. */
export const longestHtml = 1_000_000

/** Undefined where too much stands open by the parser's own count: it looks for each tag among these. */
export function sanitizeBounded(html: string, options: sanitizeHtml.IOptions): string | undefined {
  const stop = new Error('too many open elements')
  let open = 0
  try {
    return sanitizeHtml(html, {
      ...options,
      onOpenTag() {
        if (++open > maxOpen) throw stop
      },
      onCloseTag() {
        open -= 1
      },
    })
  } catch (error) {
    if (error !== stop) throw error
    return undefined
  }
}

/**
 * The HTML of a story from an allow-list: no script, form, style, event handler, tracking pixel or scheme but http(s),
 * mailto and tel; every URL absolute; a frame only from a known player and with a link beside it. Ids, and the links to
 * them, get a prefix. Done on write and again on render. That of a response has no picture and no player, and search
 * engines follow none of its links.
 * @param baseUrl what relative URLs are relative to; without it they are removed
 * @param pageUrl of the page that the story stands on, where it is read elsewhere: links within it lead there
 * @throws DomainError `html_never_closed`
 */
export function sanitizeArticleHtml(
  html: string,
  baseUrl?: string,
  pageUrl = '',
  kind: 'article' | 'response' = 'article',
): string {
  const place = { baseUrl, pageUrl, isResponse: kind === 'response' }
  const safe = sanitizeBounded(cleanText(html), options(place))
  if (safe === undefined) throw tooManyOpen()
  // Again: the parser turns references such as &#8; into what they stand for.
  return withFallbackLinks(cleanText(safe.replace(emptied, ''))).trim()
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
export const decode = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => entities[name] ?? '')

/** The words of sanitised HTML on one line. */
export const textOf = (html: string): string =>
  onOneLine(
    decode(
      html
        .replace(/<(?:br|\/?(?:p|h\d|li|div|td|th|tr|blockquote|figcaption|dt|dd|pre))\b[^<>]*>/g, ' ')
        .replace(/<[^<>]*>/g, ''),
    ),
  )

/** Sanitised HTML as a mail without HTML shows it: paragraphs, dashes before the items of a list, addresses behind words. */
export function plainTextOf(html: string): string {
  let text = ''
  let link = { url: '', from: 0 }
  const end = (lines: string) => {
    text = `${text.trimEnd()}${lines}`
  }
  for (const piece of html.split(/(<[^<>]*>)/)) {
    const [, slash, name] = /^<(\/?)(\w+)/.exec(piece) ?? []
    if (name === undefined) {
      const words = decode(piece).replace(/\s+/g, ' ')
      text += /(?:^|\s)$/.test(text) ? words.trimStart() : words
    } else if (name === 'a') {
      if (slash === '') link = { url: decode(/href="([^"]*)"/.exec(piece)?.[1] ?? ''), from: text.length }
      else if (link.url !== '' && text.slice(link.from) !== link.url.replace(/^mailto:/, ''))
        text += ` (${link.url})`
    } else if (name === 'img') text += decode(/alt="([^"]*)"/.exec(piece)?.[1] ?? '')
    else if (slash !== '' && (name === 'td' || name === 'th')) text += ' '
    else if (name === 'br' || (slash !== '' && (name === 'tr' || name === 'li'))) end('\n')
    else if (name === 'li') text += text.endsWith('\n') ? '- ' : '\n- '
    else if (slash !== '' && /^(?:p|h\d|ul|ol|blockquote|pre|figure|table)$/.test(name)) end('\n\n')
  }
  return text.replace(/^\n+/, '').trimEnd()
}
