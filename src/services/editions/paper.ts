import type { Picture } from '../../domain/articles/article.ts'
import { accentOf } from '../../domain/accent.ts'
import {
  printable,
  treeOf,
  type Run,
  type StoryBlock,
  type StoryPicture,
} from '../../domain/articles/story-tree.ts'
import type { FrozenArticle, FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import {
  clock,
  directionOf,
  localeOf,
  publicationIn,
  type LookPicture,
  type Publication,
} from '../../domain/publication.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'

/** What templates/editions/paper.typ sets. */
export interface Paper extends ReturnType<typeof frameOf> {
  title: string
  line: [where: string, what: string, which: string]
  footer: [name: string, address: string]
  logo: string | null
  intro: StoryBlock[]
  lead: PaperStory | null
  sections: { title: string; url: string | null; stories: PaperStory[] }[]
  /** It may fit on one page. */
  isShort: boolean
}

interface PaperStory {
  title: string
  deck: string
  kicker: string
  byline: string
  url: string
  picture: StoryPicture | null
  blocks: StoryBlock[]
  notes: Run[][]
}

export interface WantedPicture {
  file: string
  url: string
  /** Pixels across. */
  width: number
  isLogo: boolean
}

/** A story as the article page has it. */
export interface Story {
  title: string
  lead: string
  html: string
  url: string
  shortUrl: string
  byline: string
  publishedAt: Date | undefined
  correction: string | undefined
  correctedAt: Date | undefined
  picture: Picture | undefined
  section: { name: string } | undefined
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
    day: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: zone }).format(at),
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
    new Intl.DateTimeFormat(locale, { ...style, timeZone: zone }).format(at)
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
  const toStory = (story: Story, kicker: string, isLead: boolean): PaperStory => {
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
      blocks: blocks(story.html),
      notes: correction(story),
    }
  }
  /** All that may be shown of one whose text stays elsewhere. */
  const toSummary = (article: FrozenArticle, kicker: string, isLead: boolean): PaperStory => {
    const { title, byline, url, picture, publishedAt } = article
    const bare = {
      lead: '',
      html: '',
      shortUrl: '',
      correction: undefined,
      correctedAt: undefined,
      section: undefined,
    }
    const story = { ...bare, title, byline, url, picture, publishedAt: new Date(publishedAt) }
    const lines: Run[] = [
      [printable(article.summary), ''],
      [say('edition.read_on'), '', url],
    ]
    const said = lines.map((run) => ({ kind: 'paragraph' as const, direction: '', runs: [run] }))
    return { ...toStory(story, kicker, isLead), blocks: said }
  }
  const toLogo = (logo: LookPicture | null | undefined) => (logo ? ask(logo.url, widths.logo, true) : null)
  return { pictures, say, blocks, toStory, toSummary, toLogo }
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
  const paper: Paper = {
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
  const { pictures, say, blocks, toStory, toSummary, toLogo } = createComposer(speech)
  const frame = frameOf(speech, { name, url, accent, at: new Date(content.date) })
  const pageUrl = `${url}/digests/${digestId}`
  const byId = new Map(content.articles.map((article) => [article.id, article]))
  const first = content.blocks.flatMap(({ articleIds }) => articleIds).find((id) => byId.has(id))
  const compose = (id: number | undefined, isLead = false, under = ''): PaperStory[] => {
    const article = byId.get(id ?? 0)
    if (!article) return []
    const story = stories.get(article.id)
    const kicker = under === '' ? (article.sectionNames[0] ?? '') : ''
    return [
      story ? toStory({ ...story, url: article.url }, kicker, isLead) : toSummary(article, kicker, isLead),
    ]
  }
  const words = introOf(content)
  const isLetter = words.length > longIntro || first === undefined
  const letter = {
    title: printable(content.subject),
    deck: '',
    kicker: '',
    byline: '',
    picture: null,
    notes: [],
  }
  const paper: Paper = {
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
    lead: isLetter ? { ...letter, url: pageUrl, blocks: blocks(words) } : (compose(first, true)[0] ?? null),
    sections: content.blocks
      .map((block) => ({
        title: printable(block.title),
        url: block.url ?? null,
        stories: block.articleIds
          .filter((id) => isLetter || id !== first)
          .flatMap((id) => compose(id, false, block.title)),
      }))
      .filter((section) => section.stories.length > 0),
    isShort: false,
  }
  return { paper: { ...paper, isShort: JSON.stringify(paper).length < 2 * mostOnOnePage }, pictures }
}

/** Safe HTML. Before it was Markdown it was paragraphs of plain text. */
function introOf({ intro, introHtml }: FrozenDigest): string {
  if (introHtml !== undefined) return introHtml
  const escaped = intro.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return escaped
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => `<p>${paragraph}</p>`)
    .join('')
}
