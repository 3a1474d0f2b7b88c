import { dateIn } from '../../domain/calendar.ts'
import { type Article, type SelectionKind, isPublic, nameOf } from '../../domain/articles/article.ts'
import {
  feedPagePath,
  feedPath,
  selectionSubject,
  splitSubject,
  type FeedSubject,
} from '../../domain/feeds/feed.ts'
import {
  chooseWindow,
  noticeMs,
  windowHours,
  windowSize,
  type FeedPlace,
} from '../../domain/feeds/feed-window.ts'
import { articleUrl } from '../../domain/articles/links.ts'
import { mostReadInFeed } from '../../domain/articles/most-read.ts'
import { changesAt, isShown } from '../../domain/articles/pick.ts'
import { languageName } from '../../domain/language.ts'
import { atSize } from '../../domain/media.ts'
import { publicationIn, textIn, type Publication } from '../../domain/publication.ts'
import { notFound } from '../../errors.ts'
import type { FeedSource } from '../../feeds/items.ts'
import type { FeedChannel } from '../../feeds/writer.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { Stores } from '../../store/stores.ts'
import { listArchive } from '../digests/archive.ts'
import { hourMs } from '../../domain/time.ts'

/** Everything that one feed says, whatever its format. */
export interface GatheredFeed {
  channel: FeedChannel
  sources: FeedSource[]
  floor: FeedPlace | undefined
  /** When time alone will change it. */
  dueAt: Date | undefined
}

interface Gathering {
  stores: Stores
  publication: Publication
  publicUrl: string
  subject: FeedSubject
  language: string | undefined
  floor: FeedPlace | undefined
  now: Date
}

/** One candidate of a window, with what it shows. */
interface Placed extends FeedPlace {
  length: number
  source: FeedSource
}

/** @throws DomainError `no_feed` where nothing of that name exists */
export async function gatherFeed(gathering: Gathering): Promise<GatheredFeed> {
  const { kind } = splitSubject(gathering.subject)
  switch (kind) {
    case 'all':
      return gatherArticles(gathering, {})
    case 'responses':
      return gatherResponses(gathering)
    case 'most-read':
    case 'most-read-today':
      return gatherMostRead(gathering)
    case 'newsletter':
      return gatherArchive(gathering)
    case 'pick':
      return gatherPick(gathering)
    default:
      return gatherSelection(gathering, kind as SelectionKind)
  }
}

export const noFeed = () =>
  notFound('no_feed', 'There is no feed at this address; /feeds lists those that exist.')

async function gatherSelection(gathering: Gathering, kind: SelectionKind): Promise<GatheredFeed> {
  const { stores } = gathering
  const language = languageOf(gathering)
  const selection = await stores.selections.findBySlug(kind, splitSubject(gathering.subject).slug)
  if (!selection || selectionSubject(selection) !== gathering.subject) throw noFeed()
  return gatherArticles(gathering, {
    selectionId: selection.id,
    title: titleOf(gathering, nameOf(selection, language)),
    description: selection.descriptions[language],
  })
}

/** Rows fetched for a window: more than it shows, so that ended notices leave it full. */
const fetched = 2 * windowSize
const fetchedOfBusyDays = 1_000

async function gatherArticles(
  gathering: Gathering,
  { selectionId, ...names }: Names & { selectionId?: number },
): Promise<GatheredFeed> {
  const { stores, language, now } = gathering
  let articles = await stores.articles.listPublic({ language, selectionId, limit: fetched })
  const recent = new Date(now.getTime() - windowHours * hourMs)
  const last = articles.at(-1)?.firstPublicAt
  if (articles.length === fetched && last && last > recent) {
    articles = await stores.articles.listPublic({ language, selectionId, limit: fetchedOfBusyDays })
  }
  return gatherWindow(
    gathering,
    articles.flatMap((article) => placeArticle(article, now)),
    names,
  )
}

function gatherWindow(gathering: Gathering, candidates: Placed[], names: Names): GatheredFeed {
  const { shown, floor } = chooseWindow(candidates, gathering)
  return {
    channel: channelOf(gathering, names),
    sources: shown.map(({ source }) => source),
    floor,
    dueAt: endOfFirstNotice(shown),
  }
}

function placeArticle(article: Article, now: Date): Placed[] {
  const { firstPublicAt: at, id, html } = article
  const source = sourceOf(article, now)
  return at && source ? [{ at, id, length: html.length, source }] : []
}

/** A withdrawn article is shown as its notice, and after seven days not at all. */
function sourceOf(article: Article, now: Date): FeedSource | undefined {
  if (article.state === 'published') return { kind: 'article', article }
  const { withdrawnAt, withdrawnReason = '' } = article
  if (!withdrawnAt || withdrawnAt.getTime() + noticeMs <= now.getTime()) return undefined
  const language = interfaceLanguageOf(article.language)
  const text = `${translate(language, 'feeds.notice.text')} ${withdrawnReason}`.trim()
  return { kind: 'notice', article, title: translate(language, 'feeds.notice.title'), text }
}

function endOfFirstNotice(shown: Placed[]): Date | undefined {
  const ends = shown.flatMap(({ source }) =>
    source.kind === 'notice' ? [(source.article.withdrawnAt?.getTime() ?? 0) + noticeMs] : [],
  )
  return ends.length === 0 ? undefined : new Date(Math.min(...ends))
}

async function gatherResponses(gathering: Gathering): Promise<GatheredFeed> {
  const { stores, subject, language } = gathering
  const { slug } = splitSubject(subject)
  const article = slug === '' ? undefined : await stores.articles.findBySlug(slug)
  if (slug !== '' && !(article && isPublic(article))) throw noFeed()
  const responses = await stores.responses.listNewest({ limit: fetched, articleId: article?.id, language })
  const articles = await stores.articles.listByIds([...new Set(responses.map(({ articleId }) => articleId))])
  const byId = new Map(articles.map((one) => [one.id, one]))
  const candidates = responses.flatMap((response): Placed[] => {
    const under = byId.get(response.articleId)
    if (!under) return []
    const title = say(under.language, article ? 'response_by' : 'response_to', {
      author: response.author,
      title: under.title,
    })
    const source: FeedSource = { kind: 'response', response, article: under, title }
    return [{ at: response.publishedAt, id: response.id, length: response.html.length, source }]
  })
  const names = article
    ? {
        title: say(article.language, 'responses_to', { title: shownTitle(article) }),
        language: article.language,
        pageUrl: articleUrl(article, gathering.publicUrl),
      }
    : { title: titleOf(gathering, sayIn(gathering, 'responses')) }
  return gatherWindow(gathering, candidates, names)
}

/** The headline of a withdrawn article is withdrawn too. */
const shownTitle = (article: Article): string =>
  article.state === 'withdrawn' ? say(article.language, 'notice.title') : article.title

const rankingMs = 15 * 60_000

async function gatherMostRead(gathering: Gathering): Promise<GatheredFeed> {
  const { stores, subject, language, now, publication } = gathering
  const isToday = subject === 'most-read-today'
  const articles = await stores.articles.listMostRead({
    limit: mostReadInFeed,
    date: isToday ? dateIn(publication.zone, now) : undefined,
    language,
  })
  const title = sayIn(gathering, isToday ? 'most_read_today' : 'most_read')
  return {
    channel: channelOf(gathering, { title: titleOf(gathering, title) }),
    sources: articles.map((article) => ({ kind: 'article', article })),
    floor: undefined,
    dueAt: new Date(now.getTime() + rankingMs),
  }
}

/** In the editor's order, and without any while readers do not see it. */
async function gatherPick(gathering: Gathering): Promise<GatheredFeed> {
  const { stores, subject, language, now } = gathering
  const { slug } = splitSubject(subject)
  const pick = await stores.picks.find(slug)
  if (!pick) throw noFeed()
  const articles = isShown(pick, now) ? await stores.articles.listByIds(pick.articleIds) : []
  const title = nameOf(pick, languageOf(gathering))
  return {
    channel: channelOf(gathering, { title: titleOf(gathering, title) }),
    sources: articles
      .filter((article) => article.state === 'published' && (!language || article.language === language))
      .map((article) => ({ kind: 'article', article })),
    floor: undefined,
    dueAt: changesAt(pick, now),
  }
}

/** How soon the archive looks again whether the first reader has a digest that is on its way. */
const firstReaderMs = 5_000

/** The digests that readers of a newsletter got. */
async function gatherArchive(gathering: Gathering): Promise<GatheredFeed> {
  const { stores, subject, now } = gathering
  const newsletter = await stores.newsletters.findBySlug(splitSubject(subject).slug)
  if (!newsletter) throw noFeed()
  const { id, name, description, language } = newsletter
  // Asked first: a digest whose first mail goes out in between is looked for once more.
  const isAwaited = await stores.digests.hasUnread(id)
  const digests = await listArchive(stores, id, windowSize)
  return {
    channel: channelOf(gathering, { title: titleOf(gathering, name, language), description, language }),
    sources: digests.flatMap(
      ({ id: digestId, content, contentHash, startedAt, archiveChangedAt }): FeedSource[] => {
        if (!content || contentHash === null || !startedAt) return []
        const updatedAt = archiveChangedAt ?? startedAt
        return [
          { kind: 'digest', digest: { id: digestId, content, contentHash, sentAt: startedAt, updatedAt } },
        ]
      },
    ),
    floor: undefined,
    dueAt: isAwaited ? new Date(now.getTime() + firstReaderMs) : undefined,
  }
}

const say = (language: string, key: string, values: Record<string, string> = {}): string =>
  translate(interfaceLanguageOf(language), `feeds.${key}`, values)

const languageOf = ({ language, publication }: Gathering): string =>
  language ?? publication.languages[0] ?? 'en'

const sayIn = (gathering: Gathering, key: string): string => say(languageOf(gathering), key)

const titleOf = (gathering: Gathering, name: string, language = languageOf(gathering)): string =>
  `${textIn(gathering.publication.name, language)} – ${name}`

/** Pixels. */
const largestInRss = 144

interface Names {
  title?: string
  description?: string | undefined
  language?: string
  pageUrl?: string
}

function channelOf(gathering: Gathering, names: Names): FeedChannel {
  const { publicUrl, subject, language } = gathering
  const spoken = names.language ?? languageOf(gathering)
  const publication = publicationIn(gathering.publication, spoken)
  const title = names.title ?? publication.name
  return {
    selfUrl: (format) => publicUrl + feedPath({ subject, language, format }),
    pageUrl: names.pageUrl ?? publicUrl + feedPagePath({ subject, language }),
    title: language === undefined ? title : `${title} (${languageName(language)})`,
    description: names.description || publication.description || title,
    language: spoken,
    copyright: publication.name,
    icon: publication.icon
      ? {
          url: atSize(publication.icon.url, publicUrl, 480),
          size: Math.min(publication.icon.width, largestInRss),
          largeUrl: atSize(publication.icon.url, publicUrl, 960),
        }
      : undefined,
    stylesheetUrl: `${publicUrl}/assets/feed.css`,
  }
}
