import type { Picture } from '../../domain/articles/article.ts'
import { accentOf } from '../../domain/accent.ts'
import { printable, treeOf, type Run, type StoryBlock } from '../../domain/articles/story-tree.ts'
import type { FrozenArticle, FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import {
  directionOf,
  publicationIn,
  localeOf,
  clock,
  type LookPicture,
  type Publication,
} from '../../domain/publication.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'

/** What templates/editions/paper.typ sets. */
export interface Paper extends Frame {
  title: string
  /** Beside what it is, where it is. */
  line: [string, string, string]
  footer: [name: string, address: string]
  logo: string | null
  intro: PaperBlock[]
  lead: PaperStory | null
  sections: { title: string; url: string | null; stories: PaperStory[] }[]
  /** It may fit on one page. */
  isShort: boolean
}

interface PaperPicture {
  file: string
  alt: string
  caption: Run[]
}

type PaperBlock =
  | Exclude<StoryBlock, { kind: 'picture' | 'quote' | 'list' }>
  | ({ kind: 'picture' } & PaperPicture)
  | { kind: 'quote'; blocks: PaperBlock[] }
  | { kind: 'list'; start: number | null; items: PaperBlock[][] }

interface PaperStory {
  title: string
  deck: string
  kicker: string
  byline: string
  url: string
  picture: PaperPicture | null
  blocks: PaperBlock[]
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

/** Of A4 at about 170 dots an inch: a column, and the page. */
const [columnWidth, pageWidth, logoWidth] = [560, 1_180, 600]
const mostPictures = 80
/** Characters. */
const mostOnOnePage = 9_000
const longIntro = 700

type Frame = ReturnType<typeof frameOf>

function frameOf(of: {
  language: string
  locale: string
  zone: string
  at: Date
  name: string
  url: string
  accent: string | null | undefined
}) {
  const { language, locale, zone, at } = of
  const digits = new Intl.NumberFormat(locale, { useGrouping: false })
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: zone })
  return {
    language: language.split('-')[0] ?? language,
    direction: directionOf(language),
    digits: Array.from({ length: 10 }, (_, digit) => digits.format(digit)),
    accent: of.accent ? accentOf(of.accent).light : '#9a1b1e',
    name: printable(of.name),
    url: of.url,
    day: day.format(at),
    /** Of the file: its content's, not the clock's. */
    date: {
      ...{ year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() },
      ...{ hour: at.getUTCHours(), minute: at.getUTCMinutes(), second: at.getUTCSeconds() },
    },
  }
}

/** What goes into one paper, and the pictures that it asks for. */
class Composer {
  readonly pictures: WantedPicture[] = []
  private readonly language: string
  private readonly locale: string
  private readonly zone: string

  constructor({ language, locale, zone }: { language: string; locale: string; zone: string }) {
    this.language = language
    this.locale = locale
    this.zone = zone
  }

  say(key: string, values: Record<string, string | number> = {}): string {
    return translate(interfaceLanguageOf(this.language), key, values)
  }

  ask(url: string, width: number, isLogo = false): string {
    const file = `picture-${this.pictures.length}`
    this.pictures.push({ file, url, width, isLogo })
    return file
  }

  logo(picture: LookPicture | null | undefined): string | null {
    return picture ? this.ask(picture.url, logoWidth, true) : null
  }

  story(
    story: Story,
    { isLead, kicker, isAlone = false }: { isLead: boolean; kicker: string; isAlone?: boolean },
  ): PaperStory {
    const picture = this.picture(story.picture, isLead ? pageWidth : columnWidth)
    const when = story.publishedAt && this.format({ dateStyle: 'long', ...clock }, story.publishedAt)
    const short: Run = [
      this.say('edition.short_url', { url: shortAddress(story.shortUrl) }),
      '',
      story.shortUrl,
    ]
    return {
      title: printable(story.title),
      deck: printable(story.lead),
      kicker: printable(kicker),
      byline: printable([story.byline, when].filter(Boolean).join(' · ')),
      url: story.url,
      picture,
      blocks: this.blocks(treeOf(story.html), story.url),
      notes: [...this.correction(story), ...(isAlone ? [[short]] : [])],
    }
  }

  /** All that is left of it, or all that may be shown. */
  summary(article: FrozenArticle, { isLead, kicker }: { isLead: boolean; kicker: string }): PaperStory {
    const { title, summary, byline, url, picture, publishedAt } = article
    const story = {
      title,
      byline,
      url,
      picture,
      lead: '',
      html: '',
      shortUrl: '',
      publishedAt: new Date(publishedAt),
    }
    const blocks: PaperBlock[] = [
      { kind: 'paragraph', direction: '', runs: [[printable(summary), '']] },
      { kind: 'paragraph', direction: '', runs: [[this.say('edition.read_on'), '', url]] },
    ]
    const empty = { correction: undefined, correctedAt: undefined, section: undefined }
    return { ...this.story({ ...story, ...empty }, { isLead, kicker }), blocks }
  }

  blocks(blocks: StoryBlock[], pageUrl: string): PaperBlock[] {
    return blocks.flatMap((block): PaperBlock[] => {
      switch (block.kind) {
        case 'picture': {
          const { url, alt, caption } = block
          const shown = this.picture({ url, alt }, columnWidth)
          return shown ? [{ kind: 'picture', ...shown, caption }] : []
        }
        case 'quote':
          return [{ ...block, blocks: this.blocks(block.blocks, pageUrl) }]
        case 'list':
          return [{ ...block, items: block.items.map((item) => this.blocks(item, pageUrl)) }]
        default:
          return [block]
      }
    })
  }

  private picture(picture: Picture | undefined, width: number): PaperPicture | null {
    if (!picture || this.pictures.length >= mostPictures) return null
    const { url, alt, credit } = picture
    const caption: Run[] = credit ? [[printable(this.say('site.credit', { credit })), '']] : []
    return { file: this.ask(url, width), alt: printable(alt) || this.say('edition.picture'), caption }
  }

  private correction({ correction: text, correctedAt }: Story): Run[][] {
    if (!text) return []
    const date = correctedAt && this.format({ dateStyle: 'long' }, correctedAt)
    const told = date ? this.say('site.correction_of', { text, date }) : this.say('site.correction', { text })
    return [[[printable(told), 'i']]]
  }

  private format(style: Intl.DateTimeFormatOptions, at: Date): string {
    return new Intl.DateTimeFormat(this.locale, { ...style, timeZone: this.zone }).format(at)
  }
}

const shortAddress = (url: string): string => url.replace(/^https?:\/\//, '')

/** One article, as a page of its own. */
export function articlePaper(
  story: Story,
  publication: Publication,
  place: { language: string; publicUrl: string },
) {
  const { language, publicUrl } = place
  const { name, zone, accent, logo } = publicationIn(publication, language)
  const of = { language, locale: localeOf(publication, language), zone }
  const composer = new Composer(of)
  const frame = frameOf({ ...of, name, url: publicUrl, accent, at: story.publishedAt ?? new Date(0) })
  const paper: Paper = {
    ...frame,
    title: printable(story.title),
    line: [frame.day, '', shortAddress(story.shortUrl)],
    footer: [frame.name.slice(0, 60), shortAddress(publicUrl)],
    logo: composer.logo(logo),
    intro: [],
    lead: composer.story(story, { isLead: true, kicker: story.section?.name ?? '', isAlone: true }),
    sections: [],
    isShort: story.html.length < mostOnOnePage,
  }
  return { paper, pictures: composer.pictures }
}

/** A digest as a newspaper: the stories in full where they may be, in its blocks and order. */
export function digestPaper(content: FrozenDigest, stories: Map<number, Story>, number: number) {
  const { publication, newsletter, digestId } = content
  const { publicUrl, locale, zone } = publication
  const of = { language: newsletter.language, locale, zone }
  const composer = new Composer(of)
  const frame = frameOf({
    ...of,
    name: publication.name,
    url: publicUrl,
    accent: publication.accent,
    at: new Date(content.date),
  })
  const pageUrl = `${publicUrl}/digests/${digestId}`
  const logo = composer.logo(publication.logo)
  const words = introOf(content)
  const byId = new Map(content.articles.map((article) => [article.id, article]))
  const first = content.blocks.flatMap(({ articleIds }) => articleIds).find((id) => byId.has(id))
  const isLetter = words.length > longIntro || (words !== '' && first === undefined)
  const toStory = (id: number, isLead: boolean, blockTitle: string): PaperStory[] => {
    const article = byId.get(id)
    if (!article) return []
    const kicker = blockTitle === '' ? (article.sectionNames[0] ?? '') : ''
    const story = stories.get(id)
    return [
      story
        ? composer.story({ ...story, url: article.url }, { isLead, kicker })
        : composer.summary(article, { isLead, kicker }),
    ]
  }
  const letter = (): PaperStory => ({
    ...{ title: printable(content.subject), deck: '', kicker: '', byline: '', picture: null, notes: [] },
    url: pageUrl,
    blocks: composer.blocks(treeOf(words), pageUrl),
  })
  const paper: Paper = {
    ...frame,
    title: printable(`${newsletter.name} · ${frame.day}`),
    line: [
      frame.day,
      printable(newsletter.name),
      composer.say('edition.number', { n: new Intl.NumberFormat(locale).format(number) }),
    ],
    footer: [printable(`${publication.name} · ${newsletter.name}`), shortAddress(pageUrl)],
    logo,
    intro: isLetter ? [] : composer.blocks(treeOf(words), pageUrl),
    lead: isLetter ? letter() : first === undefined ? null : (toStory(first, true, '')[0] ?? null),
    sections: content.blocks
      .map(({ title, url, articleIds }) => ({
        title: printable(title),
        url: url ?? null,
        stories: articleIds
          .filter((id) => isLetter || id !== first)
          .flatMap((id) => toStory(id, false, title)),
      }))
      .filter((section) => section.stories.length > 0),
    isShort: false,
  }
  paper.isShort = JSON.stringify(paper).length < 2 * mostOnOnePage
  return { paper, pictures: composer.pictures }
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
