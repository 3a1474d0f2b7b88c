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
import type { Parts } from '../parts.ts'
import { singleFlight } from '../single-flight.ts'

/** One feed, as people choose it. URLs are absolute. */
interface ListedFeed {
  title: string
  /** Of the title. */
  language: string
  pageUrl: string
  rss: string
  atom: string
  json: string
}

/** Feeds under one heading. */
interface Listing {
  /** A key below `feeds.groups`. */
  name: 'everything' | 'sections' | 'dossiers' | 'picks' | 'newsletters' | 'more'
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
    return {
      title,
      language: titleIn,
      pageUrl: publicUrl + feedPagePath({ subject, language }),
      rss: url('rss.xml'),
      atom: url('atom.xml'),
      json: url('feed.json'),
    }
  }

  const list = async (language: string): Promise<Listing[]> => {
    const { name, languages } = await stores.publication.get()
    const inLanguages = languages.map((one) =>
      listed('all', `${textIn(name, one)} (${languageName(one)})`, one, one),
    )
    const ofSelections = (selections: Selection[]) =>
      selections.map((one) => listed(selectionSubject(one), nameOf(one, language), language))
    const newsletters = (await stores.newsletters.list()).filter(({ state }) => state !== 'hidden')
    const groups: Listing[] = [
      {
        name: 'everything',
        feeds: [
          listed('all', textIn(name, language), language),
          ...(languages.length > 1 ? inLanguages : []),
        ],
      },
      { name: 'sections', feeds: ofSelections(await stores.selections.list('section')) },
      { name: 'dossiers', feeds: ofSelections(await stores.selections.list('dossier')) },
      {
        name: 'picks',
        feeds: (await stores.picks.list()).map((pick) =>
          listed(`pick:${pick.slug}`, nameOf(pick, language), language),
        ),
      },
      {
        name: 'newsletters',
        feeds: newsletters.map((one) => listed(`newsletter:${one.slug}`, one.name, one.language)),
      },
      {
        name: 'more',
        feeds: [
          listed('responses', say(language, 'responses'), language),
          listed('most-read-today', say(language, 'most_read_today'), language),
          listed('most-read', say(language, 'most_read'), language),
        ],
      },
    ]
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
      .map(({ name, feeds }) => ({ name, feeds: feeds.flatMap(found) }))
      .filter(({ feeds }) => feeds.length > 0)
  }

  return {
    /** In the language of the page. */
    list,

    /** For links to feeds on pages: none names an address that its readers would have to leave. */
    moved: singleFlight((): Promise<MovedPaths> => stores.feedDocuments.listMoved()),

    /** The same as OPML, in the publication's first language. */
    async opml(): Promise<string> {
      const { name, languages } = await stores.publication.get()
      const [language = 'en'] = languages
      const groups = await list(language)
      return parts.feedWriter.opml(
        textIn(name, language),
        groups.map((group) => ({ title: say(language, `groups.${group.name}`), feeds: group.feeds })),
      )
    },
  }
}
