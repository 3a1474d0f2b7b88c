import { directionOf } from '../../domain/language.ts'
import { plainTextOf } from '../../domain/articles/article-html.ts'
import { cutAtSentence } from '../../domain/articles/summary.ts'
import { contentFor, subjectOf } from '../../domain/digests/digest-variant.ts'
import type { FrozenArticle, FrozenBlock, FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import { dateFormat } from '../../domain/formats.ts'
import { atSize } from '../../domain/media.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import { shorten, singleLine } from './plain-text.ts'

/** How much of each article is shown; a digest that would be clipped shows less of all of them. */
export interface Detail {
  summaryLength: number
  /** The first so many articles keep theirs. */
  pictures: number
  /** Articles beyond it are behind "more on the web". */
  articles: number
}

export interface DigestLinks {
  web: string
  subscribe: string
  pdf?: string
  /** Absent in the web version. */
  unsubscribe?: string
  preferences?: string
}

export interface ViewOptions {
  /** The variant: which articles it keeps, in the digest's order. All where absent. */
  articleIds?: readonly number[] | undefined
  detail: Detail
  links: DigestLinks
  isTest?: boolean | undefined
}

/** What the templates show of a digest: a pure function of its frozen form, so a preview of any variant is its bytes. */
export function viewDigest(frozen: FrozenDigest, options: ViewOptions) {
  const language = interfaceLanguageOf(frozen.newsletter.language)
  const content = options.articleIds ? contentFor(frozen, options.articleIds) : frozen
  const byId = new Map(content.articles.map((article) => [article.id, article]))
  const { blocks, shown, hidden } = chooseBlocks(content.blocks, byId, options.detail.articles)
  const subject = subjectOf(
    content,
    content.articles.filter((article) => shown.includes(article)),
  )
  const words = content.introHtml === undefined ? content.intro : plainTextOf(content.introHtml)
  const intro = words
    .split(/\n{2,}/)
    .map((each) => each.trim())
    .filter(Boolean)
  return {
    language: frozen.newsletter.language,
    locale: frozen.publication.locale,
    direction: directionOf(frozen.newsletter.language),
    subject: singleLine(subject),
    preheader: frozen.preheader ?? preheaderOf(shown, subject),
    isAlert: frozen.cadence === 'alert',
    isTest: options.isTest ?? false,
    newsletter: frozen.newsletter,
    publication: frozen.publication,
    dateText: dateFormat(frozen.publication.locale, {
      dateStyle: 'full',
      timeZone: frozen.publication.zone,
    }).format(new Date(frozen.date)),
    intro,
    introHtml: content.introHtml && withStyles(content.introHtml),
    hasIntro: intro.length > 0,
    blocks: blocks.map((block, index) => ({
      title: headingOf(content, blocks, index),
      url: block.url,
      articles: block.articles.map((article) =>
        viewArticle(article, {
          isLead: isLead(content, block, article === shown[0]),
          summaryLength: options.detail.summaryLength,
          // Under a heading, its section is said already.
          hasKicker: block.title === '',
          publicUrl: frozen.publication.publicUrl,
          hasPicture: shown.indexOf(article) < options.detail.pictures,
        }),
      ),
    })),
    mostRead: frozen.mostRead.map(({ title, url, shortUrl }) => ({
      title: singleLine(title),
      url,
      shortUrl: shortUrl ?? url,
    })),
    hasMostRead: frozen.mostRead.length > 0,
    more: moreOf(content, hidden, options.links.web),
    reason: translate(language, options.links.unsubscribe ? 'mail.digest.reason' : 'mail.digest.web_reason', {
      newsletter: singleLine(frozen.newsletter.name),
      publication: singleLine(frozen.publication.name),
    }),
    links: options.links,
  }
}

/** Where they stand alone: many mail programs read no style sheet. */
const styles = new Map([
  ['p', 'style="margin:0 0 12px"'],
  ['ul', 'style="margin:0 0 12px;padding:0 24px"'],
  ['ol', 'style="margin:0 0 12px;padding:0 24px"'],
  ['blockquote', 'style="margin:0 0 12px;padding:0 16px"'],
  ['h1', 'style="margin:20px 0 8px;font-size:22px;line-height:1.35"'],
  ['h2', 'style="margin:20px 0 8px;font-size:20px;line-height:1.35"'],
  ['h3', 'style="margin:20px 0 8px;font-size:18px;line-height:1.35"'],
  ['a', 'class="ink" style="color:#1c1b19;text-decoration:underline"'],
  ['img', 'style="max-width:100%;height:auto"'],
])
/** A picture of ours that is wider than a mail, which Outlook shows as wide as it is. */
const wide = /<img (?=[^<>]*\/media\/[\da-f]{64}-(?:960|1600)\.)/g
export const withStyles = (html: string): string =>
  html.replace(wide, '<img width="536" ').replace(/<(\w+)(?=[\s>])/g, (start, tag: string) => {
    const style = styles.get(tag)
    return style ? `${start} ${style}` : start
  })

export type DigestView = ReturnType<typeof viewDigest>

/** Stories of no block stand apart from the block before them. */
function headingOf(content: FrozenDigest, blocks: readonly FrozenBlock[], index: number): string {
  const block = blocks[index]
  const isRest = content.subjectFrom !== undefined && block?.kind === 'articles'
  const isBelowHeading = blocks.slice(0, index).some(({ title }) => title !== '')
  if (block?.title === '' && isRest && isBelowHeading) {
    return translate(interfaceLanguageOf(content.newsletter.language), 'mail.digest.also')
  }
  return singleLine(block?.title ?? '')
}

/** Frozen before variants had leads of their own: whatever came first was set large. */
const isLead = ({ subjectFrom, blocks }: FrozenDigest, block: FrozenBlock, isFirst: boolean): boolean =>
  subjectFrom === undefined ? isFirst && blocks.some(({ kind }) => kind === 'lead') : block.kind === 'lead'

function moreOf({ more, newsletter }: FrozenDigest, hidden: number, webUrl: string) {
  if (!more && hidden === 0) return undefined
  const language = interfaceLanguageOf(newsletter.language)
  const count = more && more.count === undefined ? undefined : (more?.count ?? 0) + hidden
  const text =
    count === undefined
      ? translate(language, 'mail.digest.more_uncounted')
      : translate(language, 'mail.digest.more', { count })
  return { text, url: more?.url ?? webUrl }
}

/** Blocks with the articles that are left in them, at most `limit` in all; a block without articles goes. */
function chooseBlocks(blocks: readonly FrozenBlock[], byId: Map<number, FrozenArticle>, limit: number) {
  const shown: FrozenArticle[] = []
  let hidden = 0
  const chosen = blocks.map((block) => {
    const articles: FrozenArticle[] = []
    for (const id of block.articleIds) {
      const article = byId.get(id)
      if (!article) continue
      if (shown.length === limit) hidden++
      else {
        articles.push(article)
        shown.push(article)
      }
    }
    return { ...block, articles }
  })
  return { blocks: chosen.filter((block) => block.articles.length > 0), shown, hidden }
}

function viewArticle(
  article: FrozenArticle,
  options: {
    isLead: boolean
    summaryLength: number
    publicUrl: string
    hasKicker: boolean
    hasPicture: boolean
  },
) {
  const { picture } = article
  return {
    id: article.id,
    title: singleLine(article.title),
    summary: cutAtSentence(singleLine(article.summary), options.summaryLength),
    url: article.url,
    shortUrl: article.shortUrl ?? article.url,
    byline: shorten(singleLine(article.byline), 200),
    kicker: options.hasKicker ? singleLine(article.sectionNames[0] ?? '') : '',
    isLead: options.isLead,
    picture: options.hasPicture &&
      picture &&
      isWebUrl(picture.url) && {
        url: atSize(picture.url, options.publicUrl, options.isLead ? 960 : 480),
        alt: singleLine(picture.alt),
        leadHeight: heightFor(picture, 576),
        thumbHeight: heightFor(picture, 144),
      },
  }
}

/** Without known dimensions, the usual 3:2. */
const heightFor = (picture: { width?: number; height?: number }, width: number): number =>
  Math.round(picture.width && picture.height ? (width * picture.height) / picture.width : (width * 2) / 3)

export const isWebUrl = (url: string): boolean => /^https?:\/\/[^\s"<>]+$/i.test(url) && URL.canParse(url)

/** The headlines that the subject does not already say; of a single story, what it is about. */
function preheaderOf(shown: FrozenArticle[], subject: string): string {
  const others = shown
    .map((article) => singleLine(article.title))
    .filter((title) => title !== singleLine(subject))
  return shorten(others.slice(0, 3).join(' · ') || singleLine(shown[0]?.summary ?? ''), 140)
}
