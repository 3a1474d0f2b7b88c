import { directionOf } from '../domain/language.ts'
import {
  bylineOf,
  nameOf,
  selectionPath,
  type Article,
  type Enclosure,
  type Picture,
  type Response,
} from '../domain/articles/article.ts'
import { articleUrl, feedTextOf, homeOf } from '../domain/articles/links.ts'
import type { FrozenDigest } from '../domain/digests/frozen-digest.ts'
import { sanitizeArticleHtml, textOf } from '../domain/articles/article-html.ts'
import { shortTextOf, summaryOf } from '../domain/articles/summary.ts'
import { feedPath } from '../domain/feeds/feed.ts'
import { textIn, type PerLanguage } from '../domain/publication.ts'
import { cleanLine } from '../domain/text.ts'
import type { FeedItem } from './feed-content.ts'
import { uuidUrn } from './uuid.ts'
import { escapeXml } from './xml.ts'

/** What stands in a feed besides the text of an article. */
export interface ItemFrame {
  /** An origin without a trailing slash. */
  publicUrl: string
  deskName: PerLanguage<string>
  /** A digest has a PDF. */
  hasEditions?: boolean
}

/**
 * What a feed is made of, newest first. The HTML of articles and responses is sanitised, for where their page is; a
 * correction says that it is one.
 */
export type FeedSource =
  | { kind: 'article'; article: Article }
  /** A withdrawn article: only this notice is left of it. */
  | { kind: 'notice'; article: Article; title: string; text: string }
  | { kind: 'response'; response: Response; article: Article; title: string }
  | { kind: 'digest'; digest: ArchivedDigest }

/** One sent digest, as the archive of its newsletter shows it. */
export interface ArchivedDigest {
  id: number
  /** Without what was withdrawn since. */
  content: FrozenDigest
  /** Of what was sent; hex, 256 bits. */
  contentHash: string
  sentAt: Date
  /** Later than it was sent where a story was withdrawn since, or came back. */
  updatedAt: Date
}

/** Why a source is not in a feed: `code` for the desk's language, the message for programs. */
export class Unshowable extends Error {
  readonly code: 'no_date' | 'no_guid' | 'no_title' | 'picture_url' | 'enclosure_url'

  constructor(code: Unshowable['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** How a source is named where it is left out. */
export const nameOfSource = (source: FeedSource): { guid: string; title: string } => {
  if (source.kind === 'response') return { guid: source.response.guid, title: source.title }
  if (source.kind === 'digest')
    return { guid: digestGuid(source.digest), title: source.digest.content.subject }
  return { guid: source.article.guid, title: source.article.title }
}

/** @throws Unshowable */
export function toItem(source: FeedSource, frame: ItemFrame): FeedItem {
  const item = itemOf(source, frame)
  const html = withoutPlayers(item.html)
  // Some readers show nothing else, and what follows an empty one is taken for it.
  return { ...item, html, summary: item.summary || summaryOf(html) || item.title }
}

/** Readers drop frames or refuse them; the link beside each stays. */
const withoutPlayers = (html: string): string => html.replace(/<iframe\b[^<>]*>[^<]*<\/iframe>/g, '')

function itemOf(source: FeedSource, frame: ItemFrame): FeedItem {
  switch (source.kind) {
    case 'article':
      return articleItem(source.article, frame)
    case 'notice':
      return noticeItem(source, frame)
    case 'response':
      return responseItem(source, frame)
    case 'digest':
      return digestItem(source.digest, frame)
  }
}

function articleItem(article: Article, frame: ItemFrame): FeedItem {
  const { publicUrl } = frame
  const url = articleUrl(article, publicUrl)
  const picture = article.picture && toPicture(article.picture)
  const selections = [...article.sections, ...article.dossiers, ...article.tags]
  return {
    ...identityOf(article, frame),
    title: title(article.title),
    summary: cleanLine(shortTextOf(article)),
    html: inDirection(withPicture(shownText(article), picture), article.language),
    byline: cleanLine(bylineOf(article, frame.deskName)),
    authors: article.authors.map((author) => ({
      name: cleanLine(nameOf(author, article.language)),
      url: publicUrl + selectionPath(author),
    })),
    categories: selections.map((selection) => ({
      name: cleanLine(nameOf(selection, article.language)),
      url: publicUrl + selectionPath(selection),
    })),
    pictures: picture ? [picture] : [],
    enclosure: article.enclosure && toEnclosure(article.enclosure),
    // A page that is elsewhere has responses of its own.
    responses:
      (article.areResponsesOpen || article.responsesCount > 0) && homeOf(article, publicUrl) === undefined
        ? {
            pageUrl: `${url}#responses`,
            feedUrl: publicUrl + responsesPath(article),
            count: article.responsesCount,
          }
        : undefined,
  }
}

function shownText(article: Article): string {
  const summary = () => sanitizeArticleHtml(`<p>${escapeXml(cleanLine(shortTextOf(article)))}</p>`)
  const text = feedTextOf(article) === 'full' ? article.html : summary()
  const { correction } = article
  return correction ? `${text}\n<p><em>${escapeXml(cleanLine(correction))}</em></p>` : text
}

const responsesPath = (article: Article): string =>
  feedPath({ subject: `responses:${article.slug}`, language: undefined, format: 'rss.xml' })

function noticeItem(
  { article, title: noticeTitle, text }: Extract<FeedSource, { kind: 'notice' }>,
  frame: ItemFrame,
): FeedItem {
  return {
    ...identityOf(article, frame),
    ...bare,
    title: title(noticeTitle),
    summary: cleanLine(text),
    html: inDirection(`<p>${escapeXml(cleanLine(text))}</p>`, article.language),
    byline: cleanLine(textIn(frame.deskName, article.language)),
  }
}

function responseItem(
  { response, article, title: responseTitle }: Extract<FeedSource, { kind: 'response' }>,
  { publicUrl }: ItemFrame,
): FeedItem {
  const pageUrl = articleUrl(article, publicUrl)
  return {
    ...bare,
    guid: guid(response.guid),
    url: `${pageUrl}#response-${response.id}`,
    title: title(responseTitle),
    summary: textOf(response.html),
    html: inDirection(response.html, article.language),
    language: article.language,
    publishedAt: response.publishedAt,
    updatedAt: response.publishedAt,
    byline: cleanLine(response.author),
    authors: [{ name: cleanLine(response.author), url: undefined }],
  }
}

function digestItem(digest: ArchivedDigest, { publicUrl, hasEditions }: ItemFrame): FeedItem {
  const { content, sentAt, updatedAt } = digest
  const { language, name } = content.newsletter
  const url = `${publicUrl}/digests/${digest.id}`
  return {
    ...bare,
    guid: digestGuid(digest),
    url,
    title: title(content.subject),
    summary: cleanLine(content.introHtml === undefined ? content.intro : textOf(content.introHtml)),
    html: inDirection(sanitizeArticleHtml(digestHtml(content), url, url), language),
    language,
    publishedAt: sentAt,
    updatedAt,
    byline: cleanLine(name),
    // It is made when somebody asks: nobody knows its length before.
    enclosure: hasEditions ? { url: `${url}.pdf`, type: 'application/pdf', length: 0 } : undefined,
  }
}

/** As permanent as the frozen digest is. */
const digestGuid = ({ contentHash }: ArchivedDigest): string => uuidUrn(contentHash)

/** What every reader got: nothing of one reader, no tracking. */
function digestHtml({ intro, introHtml, articles }: FrozenDigest): string {
  const paragraphs = intro.split(/\n\s*\n/).filter((text) => text.trim() !== '')
  const words = introHtml ?? paragraphs.map((text) => `<p>${escapeXml(text)}</p>`).join('\n')
  const stories = articles.map(
    ({ title: headline, url, summary }) =>
      `<h2><a href="${escapeXml(url)}">${escapeXml(headline)}</a></h2><p>${escapeXml(summary)}</p>`,
  )
  return [words, ...stories].filter(Boolean).join('\n')
}

const bare = {
  authors: [],
  categories: [],
  pictures: [],
  enclosure: undefined,
  responses: undefined,
} satisfies Partial<FeedItem>

function identityOf(article: Article, { publicUrl }: ItemFrame) {
  const publishedAt = article.publishedAt ?? article.firstPublicAt
  if (!publishedAt || !Number.isFinite(publishedAt.getTime())) {
    throw new Unshowable('no_date', 'it has no publication date')
  }
  return {
    guid: guid(article.guid),
    url: articleUrl(article, publicUrl),
    language: article.language,
    publishedAt,
    updatedAt: changedAt(article, publishedAt),
  }
}

/** What only came here, by itself or in an import with its whole archive, has not changed since it was published. */
const changedAt = ({ createdAt, updatedAt }: Article, publishedAt: Date): Date =>
  updatedAt > createdAt && updatedAt > publishedAt ? updatedAt : publishedAt

function guid(value: string): string {
  const cleaned = cleanLine(value)
  if (cleaned === '') throw new Unshowable('no_guid', 'its guid is empty')
  return cleaned
}

function title(value: string): string {
  const cleaned = cleanLine(value)
  if (cleaned === '') throw new Unshowable('no_title', 'its title is empty')
  return cleaned
}

function webUrl(value: string, what: 'picture' | 'enclosure'): string {
  const url = URL.parse(cleanLine(value))
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    const sentence = `the URL of its ${what} is not an absolute http or https URL`
    throw new Unshowable(`${what}_url`, sentence)
  }
  return url.href
}

const toPicture = (picture: Picture): Picture => ({
  ...cleanLines(picture),
  url: webUrl(picture.url, 'picture'),
})

const toEnclosure = (enclosure: Enclosure): Enclosure => ({
  ...cleanLines(enclosure),
  url: webUrl(enclosure.url, 'enclosure'),
})

const cleanLines = <Texts extends object>(texts: Texts): Texts =>
  Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [
      name,
      typeof value === 'string' ? cleanLine(value) : value,
    ]),
  ) as Texts

/** Readers that know nothing of media:content still see the picture. */
function withPicture(html: string, picture: Picture | undefined): string {
  if (!picture || html.includes(escapeXml(picture.url))) return html
  const { url, alt, width, height, credit } = picture
  const size = width && height ? ` width="${width}" height="${height}"` : ''
  const caption = credit ? `<figcaption>${escapeXml(credit)}</figcaption>` : ''
  return `<figure><img src="${escapeXml(url)}" alt="${escapeXml(alt)}"${size}>${caption}</figure>\n${html}`
}

const inDirection = (html: string, language: string): string =>
  directionOf(language) === 'rtl' ? `<div dir="rtl" lang="${language}">${html}</div>` : html
