import type sanitizeHtml from 'sanitize-html'
import { plainText } from './plain-text.ts'
import { withCovers } from './wordpress/wordpress-html.ts'
import { longestHtml, nonTextTags, sanitizeBounded, storyTags } from '../domain/articles/article-html.ts'

/** Where an item's page and its site are. */
interface Place {
  link: string | undefined
  home: string
}

const classes = (names: string): ReadonlySet<string> => new Set(names.split(' '))

/** What plugins and the theme put around a text: it is not the author's, and changes without an edit. */
const surroundings = classes(
  // Sharing
  'sharedaddy sd-sharing sd-like addtoany_share_save_container addtoany_content heateor_sss_sharing_container ' +
    'essb_links swp_social_panel mashsb-container shariff ssba dpsp-content-wrapper sharethis-inline-share-buttons ' +
    'juiz_sps_links et_social_inline wp-block-jetpack-sharing-buttons ' +
    // Other posts
    'jp-relatedposts wp-block-jetpack-related-posts yarpp yarpp-related yarpp-related-rss crp_related wp_rp_wrap ' +
    'rp4wp-related-posts wp-block-query wp-block-latest-posts wp-block-latest-comments wp-block-rss ' +
    // The author
    'saboxplugin-wrap pp-multiple-authors-boxes-wrapper abh_box m-a-box ts-fab-wrapper',
)
const smileys = classes('wp-smiley emoji')
const moreLinks = classes('more-link')
const embeddedPosts = classes('wp-embedded-content')

/** Where plugins that load pictures late keep the address of the real one. */
const lateSources = (
  'data-src data-lazy-src data-original data-lazy data-ll-src data-cfsrc data-opt-src data-ezsrc ' +
  'data-pagespeed-lazy-src data-wpfc-original-src nitro-lazy-src'
).split(' ')
const candidateLists = 'data-srcset data-lazy-srcset data-original-set srcset'.split(' ')
/** Pictures up to this width are there to be clicked on. */
const thumbnailWidth = 300

const oldTags = 'h1 center strike tt embed object picture'
type Attributes = sanitizeHtml.Attributes
/** An element whose attributes are these goes with all that is in it. */
const dropped: Attributes = {}
/** The library copies its result for each: thousands in a megabyte would take seconds. */
const maxDropped = 2_000
const drop = (tagName: string): sanitizeHtml.Tag => ({ tagName, attribs: dropped })

const has = (attributes: Attributes, names: ReadonlySet<string>): boolean =>
  attributes['class']?.split(/\s+/).some((name) => names.has(name)) ?? false

const isSource = (url: string | undefined): boolean =>
  url !== undefined && !/^\s*(?:$|data:|about:)/i.test(url)

const sourceOf = (attributes: Attributes): string | undefined =>
  lateSources.map((name) => attributes[name]).find((url) => isSource(url) && /[./]/.test(url ?? '')) ??
  (isSource(attributes['src']) ? attributes['src'] : undefined)

/** The widest picture that a `srcset` names. */
function widestOf(attributes: Attributes): { url: string | undefined; width: number } {
  const list = candidateLists.map((name) => attributes[name]).find(isSource) ?? ''
  const candidates = list.split(/(?<=\d[wx]),\s*|,\s+/).map((candidate) => {
    const [url, size = ''] = candidate.trim().split(/\s+/)
    return { url, width: parseFloat(size) || 0 }
  })
  return candidates
    .filter(({ url }) => isSource(url))
    .reduce((widest, one) => (one.width > widest.width ? one : widest), { url: undefined, width: 0 })
}

/** `photo-150x150.jpg` and `photo-scaled.jpg` are sizes of `photo`; undefined for what is no picture. */
function pictureNameOf(url: string): string | undefined {
  const [path = ''] = url.split(/[?#]/, 1)
  const file = path.slice(path.lastIndexOf('/') + 1)
  return /\.(?:jpe?g|png|gif|webp|avif)$/i.test(file)
    ? file.replace(/(?:-\d{1,5}x\d{1,5}|-scaled)?\.\w+$/, '')
    : undefined
}

/** How wide an address says that its picture is; one that does not say is the whole. */
function widthOf(url: string): number {
  const [, named, asked] = /-(\d{1,5})x\d{1,5}\.\w+(?:[?#]|$)|[?&](?:w|resize|fit)=(\d{1,5})/.exec(url) ?? []
  return Number(named ?? asked ?? Infinity)
}

/** The picture that is meant to be looked at: what a thumbnail links to, or the widest of its `srcset`. */
function fullSizeOf(attributes: Attributes, src: string | undefined, link: string): string | undefined {
  const width = src === undefined ? 0 : widthOf(src)
  if (src === undefined || width > thumbnailWidth) return src ?? widestOf(attributes).url
  const name = pictureNameOf(link)
  if (name !== undefined && name === pictureNameOf(src) && widthOf(link) > width) return link
  const widest = widestOf(attributes)
  return widest.width > width ? widest.url : src
}

function cleaning(): sanitizeHtml.IOptions {
  /** Where the last link leads. */
  let link = ''
  /** The picture just before has no address: its twin for readers without JavaScript stands in. */
  let isLost = false
  let count = 0
  return {
    allowedTags: `${storyTags} ${oldTags}`.split(' '),
    allowedAttributes: false,
    nonTextTags,
    nestingLimit: 100,
    parseStyleAttributes: false,
    exclusiveFilter: ({ attribs }) => attribs === dropped && ++count <= maxDropped,
    textFilter: (text) => {
      if (text.trim() !== '') isLost = false
      return text
    },
    transformTags: {
      a: (tagName, attribs) => {
        link = attribs['href'] ?? ''
        return has(attribs, moreLinks) || link.includes('#?secret=') ? drop(tagName) : { tagName, attribs }
      },
      img: (tagName, attribs) => {
        const { alt = '' } = attribs
        if (alt !== '' && has(attribs, smileys)) return { tagName: 'span', attribs: {}, text: alt }
        const { width: _width, height: _height, ...unsized } = attribs
        const written = sourceOf(attribs)
        const src = fullSizeOf(attribs, written, link)
        isLost = src === undefined
        if (src === undefined) return { tagName, attribs }
        return { tagName, attribs: { ...(src === written ? attribs : unsized), src } }
      },
      iframe: (tagName, attribs) => {
        const src = sourceOf(attribs)
        isLost = src === undefined
        if (has(attribs, embeddedPosts)) return drop(tagName)
        return { tagName, attribs: src === undefined ? attribs : { ...attribs, src } }
      },
      noscript: (tagName, attribs) => ({ tagName: isLost ? 'span' : tagName, attribs }),
      '*': (tagName, attribs) => {
        if (!['img', 'iframe', 'span'].includes(tagName)) isLost = false
        return has(attribs, surroundings) ? drop(tagName) : { tagName, attribs }
      },
    },
  }
}

const addressOf = (url: string | undefined): string | undefined => {
  const { host, pathname, search } = (url !== undefined && URL.parse(url.replaceAll('&amp;', '&'))) || {}
  return host && `${host}${pathname?.replace(/\/$/, '') ?? ''}${search ?? ''}`.toLowerCase()
}

/** Feeds of WordPress end in “The post … appeared first on …”: a paragraph that links to the post and to the site. */
function withoutFooter(html: string, { link, home }: Place): string {
  const start = Math.max(html.lastIndexOf('<p>'), html.lastIndexOf('<p '))
  const end = html.indexOf('</p>', start)
  if (start < 0 || end < 0 || link === undefined) return html
  const written = html.slice(start, end).match(/(?<=<a [^>]{0,500}href=")[^"]*/g) ?? []
  const links = written.map(addressOf)
  const isHome = links[1] !== undefined && [home, new URL(link).origin].map(addressOf).includes(links[1])
  return links.length === 2 && links[0] === addressOf(link) && isHome
    ? html.slice(0, start) + html.slice(end + 4)
    : html
}

/**
 * A text as a site shows it, as its author wrote it: pictures that load late and thumbnails are the real ones, smileys
 * are text, and what plugins put around it is gone. Not sanitised yet; what the sanitiser refuses stays as it is.
 */
export function cleanRendered(html: string, place: Place): string {
  if (!html.includes('<') || html.length > longestHtml) return html
  const clean = sanitizeBounded(withCovers(html), cleaning())
  return clean === undefined ? html : withoutFooter(clean.replace(/<p>\s*<\/p>/g, ''), place).trim()
}

/** Where a theme leads on from what was cut. */
const lastLink = /<a\b[^<>]*>(?:(?!<\/?a\b).)*<\/a>(?:[^\p{L}<]|<\/\w+>)*$/su

/** The words of a clean summary; what WordPress cuts from the text itself is none of the author's. */
export function summaryIn(html: string): string {
  const isCut = /(?:\[…\]|\[\.\.\.\]|…)$/.test(plainText(html.replace(lastLink, '')))
  return isCut ? '' : plainText(html)
}
