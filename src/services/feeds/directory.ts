import { nameOf, type Selection } from '../../domain/articles/article.ts'
import {
  currentPath,
  feedPagePath,
  feedPath,
  selectionSubject,
  type FeedFormat,
  type FeedSubject,
  type MovedPaths,
} from '../../domain/feeds/feed.ts'
import { languageName } from '../../domain/language.ts'
import { textIn } from '../../domain/publication.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { LocatedPage } from '../articles/site.ts'
import type { Parts } from '../parts.ts'
import { singleFlight } from '../single-flight.ts'

/** One feed, as people choose it. URLs are absolute. */
interface ListedFeed {
  title: string
  /** Of the title. */
  language: string
  /** The page that its `link` says. */
  pageUrl: string
  /** Whether that page is the feed's own: not the front for a ranking. */
  hasPage: boolean
  rss: string
  atom: string
  json: string
}

/** Feeds under one heading: the text of a key, or the name of the language that they are in. */
interface Listing {
  key?: `feeds.groups.${'everything' | 'sections' | 'dossiers' | 'picks' | 'newsletters' | 'more' | 'together'}`
  language?: string
  feeds: ListedFeed[]
}

const say = (language: string, key: string): string =>
  translate(interfaceLanguageOf(language), `feeds.${key}`)

/** Every feed of the newsroom but those of tags, authors and single articles, which stand on their pages. */
export function createFeedDirectory(parts: Pick<Parts, 'config' | 'database' | 'feedWriter'>) {
  const { publicUrl } = parts.config
  const { stores } = parts.database

  const listed = (subject: FeedSubject, title: string, titleIn: string, language?: string): ListedFeed => {
    const url = (format: FeedFormat) => publicUrl + feedPath({ subject, language, format })
    const page = feedPagePath({ subject, language })
    return {
      title,
      language: titleIn,
      pageUrl: publicUrl + page,
      hasPage: subject === 'all' || page !== feedPagePath({ subject: 'all', language }),
      rss: url('rss.xml'),
      atom: url('atom.xml'),
      json: url('feed.json'),
    }
  }

  /** @param spoken the language that these are in; undefined: in all of them together */
  const groupsOf = async (
    { publication, language }: LocatedPage,
    { spoken, main, archives }: { spoken: string | undefined; main: ListedFeed[]; archives: ListedFeed[] },
  ): Promise<Listing[]> => {
    const own = (subject: FeedSubject, title: string) => listed(subject, title, language, spoken)
    const ofSelections = (found: Selection[]) =>
      found.map((one) => own(selectionSubject(one), nameOf(one, language)))
    const picks = await stores.picks.list()
    const rest = ['responses', 'most-read-today', 'most-read'] as const
    return [
      { key: 'feeds.groups.everything', feeds: [own('all', textIn(publication.name, language)), ...main] },
      { key: 'feeds.groups.sections', feeds: ofSelections(await stores.selections.list('section')) },
      { key: 'feeds.groups.dossiers', feeds: ofSelections(await stores.selections.list('dossier')) },
      {
        key: 'feeds.groups.picks',
        feeds: picks.map((one) => own(`pick:${one.slug}`, nameOf(one, language))),
      },
      { key: 'feeds.groups.newsletters', feeds: archives },
      {
        key: 'feeds.groups.more',
        feeds: rest.map((subject) => own(subject, say(language, subject.replaceAll('-', '_')))),
      },
    ]
  }

  const list = async (page: LocatedPage): Promise<Listing[]> => {
    const { name, languages } = page.publication
    const only = languages.length > 1 ? page.pathLanguage : undefined
    const newsletters = (await stores.newsletters.list()).filter(({ state }) => state !== 'hidden')
    const archives = (isListed: (language: string) => boolean) =>
      newsletters
        .filter(({ language }) => isListed(language))
        .map((one) => listed(`newsletter:${one.slug}`, one.name, one.language))
    const mainOf = (one: string) => listed('all', `${textIn(name, one)} (${languageName(one)})`, one, one)
    const mixed = await groupsOf(page, {
      spoken: undefined,
      main: only === undefined && languages.length > 1 ? languages.map(mainOf) : [],
      archives: archives((language) => only === undefined || !languages.includes(language)),
    })
    const own = only ? archives((language) => language === only) : []
    const groups: Listing[] = only
      ? [
          ...(await groupsOf(page, { spoken: only, main: [], archives: own })),
          ...languages
            .filter((one) => one !== only)
            .map((one) => ({
              language: one,
              feeds: [mainOf(one), ...archives((language) => language === one)],
            })),
          { key: 'feeds.groups.together', feeds: mixed.flatMap(({ feeds }) => feeds) },
        ]
      : mixed
    return withoutMoved(groups, await stores.feedDocuments.listMoved())
  }

  /** A feed that has moved stands at its new address, unless that is in the list anyway; one that has ended nowhere. */
  const withoutMoved = (groups: Listing[], moved: MovedPaths): Listing[] => {
    const named = new Set(groups.flatMap(({ feeds }) => feeds.map(({ rss }) => rss)))
    const current = (url: string) => {
      const path = currentPath(moved, url.slice(publicUrl.length))
      return path === undefined ? undefined : publicUrl + path
    }
    const found = (feed: ListedFeed): ListedFeed[] => {
      const [rss, atom, json] = [current(feed.rss), current(feed.atom), current(feed.json)]
      const isNamed = rss !== feed.rss && named.has(rss ?? '')
      return rss === undefined || atom === undefined || json === undefined || isNamed
        ? []
        : [{ ...feed, rss, atom, json }]
    }
    return groups
      .map((group) => ({ ...group, feeds: group.feeds.flatMap(found) }))
      .filter(({ feeds }) => feeds.length > 0)
  }

  return {
    /** In the language of the page; where its path says which, that language leads. */
    list,

    /** For links to feeds on pages: none names an address that its readers would have to leave. */
    moved: singleFlight((): Promise<MovedPaths> => stores.feedDocuments.listMoved()),

    /** The same as OPML. */
    async opml(page: LocatedPage): Promise<string> {
      const { publication, language } = page
      const groups = await list(page)
      const titled = groups.map(({ key, language: spoken = language, feeds }) => ({
        title: key ? translate(interfaceLanguageOf(language), key) : languageName(spoken),
        feeds,
      }))
      return parts.feedWriter.opml(textIn(publication.name, language), titled)
    },
  }
}
