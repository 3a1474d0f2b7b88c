import { clock, dateFormat } from '../../domain/formats.ts'
import { directionOf, localeOf } from '../../domain/language.ts'
import type { Picture } from '../../domain/articles/article.ts'
import { accentOf } from '../../domain/accent.ts'
import { printable, treeOf, type Run } from '../../domain/articles/story-tree.ts'
import type { FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import { publicationIn, type LookPicture, type Publication } from '../../domain/publication.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { SiteService } from '../articles/site.ts'

export interface WantedPicture {
  file: string
  url: string
  /** Pixels across. */
  width: number
  isLogo: boolean
}

/** A story as its page has it. */
export type Story = Pick<
  Awaited<ReturnType<SiteService['stories']>>[number],
  'title' | 'lead' | 'html' | 'url' | 'shortUrl' | 'byline' | 'publishedAt' | 'correction' | 'correctedAt'
> & { picture: Picture | undefined; section: { name: string } | undefined }

const bare: Omit<Story, 'title' | 'url'> = {
  lead: '',
  html: '',
  shortUrl: '',
  byline: '',
  picture: undefined,
  publishedAt: undefined,
  correction: undefined,
  correctedAt: undefined,
  section: undefined,
}

interface Speech {
  language: string
  locale: string
  zone: string
}

/** On A4 at about 170 dots an inch. */
const widths = { column: 560, page: 1_180, logo: 600 }
const mostPictures = 80
/** Characters. */
const mostOnOnePage = 9_000
const longIntro = 700

const shortAddress = (url: string): string => url.replace(/^https?:\/\//, '')

function frameOf(
  { language, locale, zone }: Speech,
  of: { at: Date; name: string; url: string; accent: string | null | undefined },
) {
  const { at, name, url, accent } = of
  const digits = new Intl.NumberFormat(locale, { useGrouping: false })
  const [year, month, day, hour, minute, second] = at.toISOString().split(/\D/).map(Number)
  return {
    language: language.split('-')[0] ?? language,
    direction: directionOf(language),
    digits: Array.from({ length: 10 }, (_, digit) => digits.format(digit)),
    accent: accent ? accentOf(accent).light : '#9a1b1e',
    name: printable(name),
    url,
    day: dateFormat(locale, { dateStyle: 'full', timeZone: zone }).format(at),
    /** Of the file: its content's, not the clock's. */
    date: { year, month, day, hour, minute, second },
  }
}

/** Puts stories together, and keeps count of the pictures that they ask for. */
function createComposer({ language, locale, zone }: Speech) {
  const pictures: WantedPicture[] = []
  const say = (key: string, values: Record<string, string> = {}) =>
    printable(translate(interfaceLanguageOf(language), key, values))
  const format = (style: Intl.DateTimeFormatOptions, at: Date) =>
    dateFormat(locale, { ...style, timeZone: zone }).format(at)
  const ask = (url: string, width: number, isLogo = false) => {
    const file = `picture-${pictures.length}`
    pictures.push({ file, url, width, isLogo })
    return file
  }
  const show = ({ url, alt }: Pick<Picture, 'url' | 'alt'>, width = widths.column) =>
    pictures.length < mostPictures
      ? { file: ask(url, width), alt: printable(alt) || say('edition.picture') }
      : undefined
  const blocks = (html: string) => treeOf(html, (url, alt) => show({ url, alt }))
  const correction = ({ correction: text, correctedAt }: Story): Run[][] => {
    if (!text) return []
    const date = correctedAt && format({ dateStyle: 'long' }, correctedAt)
    return [[[date ? say('site.correction_of', { text, date }) : say('site.correction', { text }), 'i']]]
  }
  const toStory = (story: Story, kicker: string, isLead: boolean) => {
    const { picture, publishedAt } = story
    const shown = picture && show(picture, isLead ? widths.page : widths.column)
    const caption: Run[] = picture?.credit ? [[say('site.credit', { credit: picture.credit }), '']] : []
    const when = publishedAt && format({ dateStyle: 'long', ...clock }, publishedAt)
    return {
      title: printable(story.title),
      deck: printable(story.lead),
      kicker: printable(kicker),
      byline: printable([story.byline, when].filter(Boolean).join(' · ')),
      url: story.url,
      picture: shown ? { ...shown, caption } : null,
      // Within its page is elsewhere from here.
      blocks: blocks(story.html.replace(/(<a [^<>]*href=")#/g, `$1${escaped(story.url)}#`)),
      notes: correction(story),
    }
  }
  const toLogo = (logo: LookPicture | null | undefined) => (logo ? ask(logo.url, widths.logo, true) : null)
  return { pictures, say, blocks, toStory, toLogo }
}

/** One article, as a page of its own. */
export function articlePaper(
  story: Story,
  publication: Publication,
  place: { language: string; publicUrl: string },
) {
  const { language, publicUrl: url } = place
  const { name, zone, accent, logo } = publicationIn(publication, language)
  const speech = { language, locale: localeOf(publication, language), zone }
  const { pictures, say, toStory, toLogo } = createComposer(speech)
  const frame = frameOf(speech, { name, url, accent, at: story.publishedAt ?? new Date(0) })
  const address = shortAddress(story.shortUrl)
  const lead = toStory(story, story.section?.name ?? '', true)
  lead.notes.push([[say('edition.short_url', { url: address }), '', story.shortUrl]])
  const paper = {
    ...frame,
    title: printable(story.title),
    line: [frame.day, '', address],
    footer: [frame.name.slice(0, 60), shortAddress(url)],
    logo: toLogo(logo),
    intro: [],
    lead,
    sections: [],
    isShort: story.html.length < mostOnOnePage,
  }
  return { paper, pictures }
}

/** A digest as a newspaper: in its blocks and order, those of its stories in full that may be. */
export function digestPaper(content: FrozenDigest, stories: Map<number, Story>, number: number) {
  const { publication, newsletter, digestId } = content
  const { publicUrl: url, name, accent, locale, zone } = publication
  const speech = { language: newsletter.language, locale, zone }
  const { pictures, say, blocks, toStory, toLogo } = createComposer(speech)
  const frame = frameOf(speech, { name, url, accent, at: new Date(content.date) })
  const pageUrl = `${url}/digests/${digestId}`
  const byId = new Map(content.articles.map((article) => [article.id, article]))
  const first = content.blocks.flatMap(({ articleIds }) => articleIds).find((id) => byId.has(id))
  const compose = (id: number | undefined, isLead = false, under = '') => {
    const article = byId.get(id ?? 0)
    if (!article) return []
    const { title, summary, byline, picture } = article
    // All that may be shown of one whose text stays elsewhere.
    const html = `<p>${escaped(summary)}</p><p><a href="${escaped(article.url)}">${say('edition.read_on')}</a></p>`
    const short = { ...bare, title, byline, picture, publishedAt: new Date(article.publishedAt), html }
    const story = { ...(stories.get(article.id) ?? short), url: article.url }
    return [toStory(story, under === '' ? (article.sectionNames[0] ?? '') : '', isLead)]
  }
  const words = introOf(content)
  const isLetter = words.length > longIntro || first === undefined
  const paper = {
    ...frame,
    title: printable(`${newsletter.name} · ${frame.day}`),
    line: [
      frame.day,
      printable(newsletter.name),
      say('edition.number', { n: new Intl.NumberFormat(locale).format(number) }),
    ],
    footer: [printable(`${name} · ${newsletter.name}`).slice(0, 60), shortAddress(pageUrl)],
    logo: toLogo(publication.logo),
    intro: isLetter ? [] : blocks(words),
    lead: isLetter
      ? toStory({ ...bare, title: content.subject, html: words, url: pageUrl }, '', true)
      : compose(first, true)[0],
    sections: content.blocks
      .map((block) => ({
        title: printable(block.title),
        url: block.url ?? null,
        stories: block.articleIds
          .filter((id) => isLetter || id !== first)
          .flatMap((id) => compose(id, false, block.title)),
      }))
      .filter((section) => section.stories.length > 0),
  }
  return { paper: { ...paper, isShort: JSON.stringify(paper).length < 2 * mostOnOnePage }, pictures }
}

/** Safe HTML. Before it was Markdown it was paragraphs of plain text. */
function introOf({ intro, introHtml }: FrozenDigest): string {
  if (introHtml !== undefined) return introHtml
  return escaped(intro)
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => `<p>${paragraph}</p>`)
    .join('')
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
