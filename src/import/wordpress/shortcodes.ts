export interface GalleryPicture {
  url: string
  alt: string
  caption: string
}

/** The pictures of an export. */
export interface Pictures {
  /** By attachment id. */
  findPictures: (ids: number[]) => GalleryPicture[]
  /** All that hang on the post. */
  listOwnPictures: () => GalleryPicture[]
}

const attribute = /(?<![\w-])([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]]+))|"([^"]*)"|(\S+)/g

/** `[name …]`, `[/name]`, `[name …/]`, or any of these in a second pair of brackets, which WordPress shows as text. */
const mark =
  /\[(?<escape>\[?)(?<slash>\/?)(?<name>[a-z][\w-]*)(?<given>(?:[\s=][^\][]{0,2000})?)\](?<end>\]?)/gi

interface Mark {
  index: number
  whole: string
  name: string
  given: string
  kind: 'open' | 'close' | 'escaped'
}

/** An opened shortcode and the HTML it has gathered so far. */
interface Frame {
  mark: Mark | undefined
  html: string
}

const maxDepth = 50

/**
 * Shortcodes become what they stand for. One that we do not know is taken out, its content stays; a word in brackets
 * that is no shortcode (`[sic]`) is text and stays too.
 */
export function replaceShortcodes(html: string, context: Pictures): string {
  const marks = listMarks(html)
  if (marks.length === 0) return html
  const closers = new Map<string, number>()
  for (const { kind, name } of marks) if (kind === 'close') closers.set(name, (closers.get(name) ?? 0) + 1)
  const root: Frame = { mark: undefined, html: '' }
  const frames: Frame[] = [root]
  const top = () => frames.at(-1) ?? root
  const fold = () => {
    const { mark, html } = frames.pop() ?? root
    if (mark) top().html += alone(mark, context) + html
  }
  let at = 0
  for (const mark of marks) {
    top().html += html.slice(at, mark.index)
    at = mark.index + mark.whole.length
    const { name, kind } = mark
    const left = closers.get(name) ?? 0
    if (kind === 'escaped') top().html += mark.whole.slice(1, -1)
    else if (kind === 'open') {
      if (left > 0 && frames.length < maxDepth) frames.push({ mark, html: '' })
      else top().html += alone(mark, context)
    } else {
      closers.set(name, left - 1)
      if (!frames.some((frame) => frame.mark?.name === name)) continue
      while (top().mark?.name !== name) fold()
      const { mark: opened, html: content } = frames.pop() ?? root
      if (opened) top().html += enclosed(name, attributesOf(opened.given), content)
    }
  }
  top().html += html.slice(at)
  while (frames.length > 1) fold()
  return root.html
}

function listMarks(html: string): Mark[] {
  if (!html.includes('[')) return []
  return [...html.matchAll(mark)].map((found) => {
    const { escape = '', slash = '', name = '', given = '', end = '' } = found.groups ?? {}
    const isEscaped = escape !== '' && end !== ''
    const outer = isEscaped ? [0, 0] : [escape.length, end.length]
    return {
      index: found.index + (outer[0] ?? 0),
      whole: found[0].slice(outer[0], found[0].length - (outer[1] ?? 0)),
      name: name.toLowerCase(),
      given,
      kind: isEscaped ? 'escaped' : slash === '' ? 'open' : 'close',
    }
  })
}

const knownNames = new Set(['gallery', 'playlist', 'more', 'toc', 'contact-form', 'wpforms', 'ad', 'adsense'])

const looksLikeShortcode = ({ name, given }: Mark): boolean =>
  given.endsWith('/') || knownNames.has(name) || /[_-]/.test(name) || /[\w-]\s*=\s*["'\w]/.test(given)

type Attributes = Map<string, string>

function attributesOf(text: string): Attributes {
  const attributes: Attributes = new Map()
  // The editor's typographic quotes end up around values; within straight ones they are the author's.
  const plain = /["']/.test(text) ? text : text.replace(/&quot;|&#82(?:20|21|43);|[“”″]|\s?»|«\s?/g, '"')
  for (const found of plain.matchAll(attribute)) {
    const [, name, double, singleQuoted, bare, quotedAlone, alone] = found
    if (name !== undefined) attributes.set(name.toLowerCase(), double ?? singleQuoted ?? bare ?? '')
    else if (!attributes.has('')) attributes.set('', quotedAlone ?? alone ?? '')
  }
  return attributes
}

function enclosed(name: string, attributes: Attributes, content: string): string {
  if (name === 'caption' || name === 'wp_caption')
    return figureOf(content, attributes.get('caption'), attributes)
  if (embeds.has(name)) return embedOf(name, content) ?? content
  if (name === 'audio' || name === 'video') return playerOf(name, attributes) ?? content
  if (name === 'code' || name === 'sourcecode') return `<pre>${content.trim()}</pre>`
  return content
}

function alone(mark: Mark, context: Pictures): string {
  const { name } = mark
  const attributes = attributesOf(mark.given.replace(/\/$/, ''))
  if (name === 'gallery') return galleryOf(attributes, context)
  if (name === 'audio' || name === 'video') return playerOf(name, attributes) ?? ''
  if (embeds.has(name)) {
    const given = ['src', 'url', 'id', ''].map((key) => attributes.get(key)).find(Boolean) ?? ''
    return embedOf(name, given.replace(/^=/, '')) ?? ''
  }
  return looksLikeShortcode(mark) ? '' : mark.whole
}

/** `[caption]<img> words[/caption]`: older ones keep the words in an attribute. */
function figureOf(content: string, caption: string | undefined, attributes: Attributes): string {
  const [, picture = '', words = ''] = /^\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*<\/a>)?)([\s\S]*)$/i.exec(
    content,
  ) ?? ['', content]
  const text = words.trim() || (caption ?? '')
  const align = attributes.get('align') ?? ''
  const opening = /^align(?:left|right|center)$/.test(align) ? `<figure class="${align}">` : '<figure>'
  return `${opening}${picture}${text && `<figcaption>${text}</figcaption>`}</figure>`
}

function galleryOf(attributes: Attributes, context: Pictures): string {
  const ids = (attributes.get('ids') ?? attributes.get('include') ?? '')
    .split(',')
    .map(Number)
    .filter((id) => Number.isSafeInteger(id) && id > 0)
  const pictures = ids.length > 0 ? context.findPictures(ids) : context.listOwnPictures()
  return pictures.map(pictureOf).join('\n')
}

const pictureOf = ({ url, alt, caption }: GalleryPicture): string =>
  `<figure><img src="${quote(url)}" alt="${quote(alt)}">${caption && `<figcaption>${quote(caption)}</figcaption>`}</figure>`

const mediaKeys = {
  audio: ['src', 'mp3', 'm4a', 'ogg', 'wav', 'flac', ''],
  video: ['src', 'mp4', 'm4v', 'webm', 'ogv', 'wmv', 'flv', ''],
}

function playerOf(name: 'audio' | 'video', attributes: Attributes): string | undefined {
  const url = mediaKeys[name]
    .map((key) => attributes.get(key))
    .find((value) => /^(?:https?:)?\/\//.test(value ?? ''))
  return url && `<${name} src="${quote(url)}" controls></${name}>`
}

/** What stands elsewhere, with what its id stands behind where it may be given without an address. */
const embeds = new Map([
  ['youtube', 'https://www.youtube.com/watch?v='],
  ['vimeo', 'https://vimeo.com/'],
  ...['embed', 'dailymotion', 'soundcloud', 'tweet', 'instagram'].map((name) => [name, ''] as const),
])

/** Undefined for what is no address, such as a link already. */
function embedOf(name: string, given: string): string | undefined {
  const place = given.trim()
  if (/^(?:https?:)?\/\/[^\s<>]+$/.test(place)) return linkOf(place)
  const before = embeds.get(name)
  return before && /^[\w-]{1,40}$/.test(place) ? linkOf(before + place) : undefined
}

const linkOf = (url: string): string => `<a class="embed-link" href="${quote(url)}">${quote(url)}</a>`

const quote = (text: string): string =>
  text
    .replaceAll(/&(?!amp;|lt;|gt;|quot;|#)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
