import {
  articlePath,
  selectionPath,
  type Article,
  type SelectionKind,
} from '../../domain/articles/article.ts'
import { feedPath, selectionSubject, type FeedSubject } from '../../domain/feeds/feed.ts'
import { readOldAddress, type OldAddress } from '../../domain/articles/old-address.ts'
import type { Parts } from '../parts.ts'

/** Where a page lives now: its path without a language, and what its feed is a view of. */
interface Place {
  path: string
  /** Undefined where the page has no feed of its own. */
  subject: FeedSubject | undefined
  /** An article's page and feed are in the language of the article: neither address names one. */
  isArticle?: boolean
}

/** Feeds and pages that both follow: what one install calls a category, another import made a tag. */
const kindsOf: Record<'category' | 'tag' | 'author', SelectionKind[]> = {
  category: ['section', 'tag', 'dossier'],
  tag: ['tag', 'section', 'dossier'],
  author: ['author'],
}

const front: Place = { path: '', subject: 'all' }

/** The addresses that articles, selections and feeds had on the newsroom's WordPress. */
export function createOldAddressService({ database }: Pick<Parts, 'database'>) {
  const { articles, selections, publication } = database.stores

  const find = async (of: OldAddress['of'], isGuessed: boolean): Promise<Place | undefined> => {
    switch (of.kind) {
      case 'all':
        return front
      case 'responses':
        return { path: '', subject: 'responses' }
      case 'post':
        return placeOf(await articles.findPublicByWordpressId(of.id))
      case 'permalink':
        return placeOf(
          (await articles.findPublicByOldPath(of.paths)) ??
            (isGuessed && of.slug !== '' ? await findByName(of.slug) : undefined),
        )
      case 'period':
        return (await articles.hasPublicIn(of.date)) ? { ...front, subject: undefined } : undefined
      case 'unknown':
        return undefined
      default:
        return findSelection(kindsOf[of.kind], of.slug)
    }
  }

  const findByName = async (slug: string) =>
    (await articles.findBySlug(slug)) ?? (await articles.findBySlugHistory(slug))

  const findSelection = async (kinds: SelectionKind[], slug: string): Promise<Place | undefined> => {
    for (const kind of kinds) {
      const selection = slug === '' ? undefined : await selections.findPublic(kind, slug)
      if (selection) return { path: selectionPath(selection), subject: selectionSubject(selection) }
    }
    return undefined
  }

  const pathOf = async (url: URL, isGuessed: boolean): Promise<string | undefined> => {
    const { languages } = await publication.get()
    const { of, format, language } = readOldAddress(url, languages)
    const place = await find(of, isGuessed)
    if (!place) return undefined
    const inLanguage = place.isArticle ? undefined : language
    if (format !== undefined) {
      return place.subject && feedPath({ subject: place.subject, language: inLanguage, format })
    }
    return (inLanguage === undefined ? place.path : `/${inLanguage}${place.path}`) || '/'
  }

  return {
    /**
     * Where the path of a request leads now; undefined where it never was an address of the newsroom.
     * @param url of the request, its language prefix included
     * @param of.isOurs the path has the form of an address of our own: only a permalink that was exactly this counts
     */
    async find(url: URL, { isOurs }: { isOurs: boolean }): Promise<string | undefined> {
      const path = await pathOf(url, !isOurs)
      return path === url.pathname ? undefined : path
    },

    /**
     * Where a query of the front page leads: `/?p=12`, `/?feed=atom`.
     * @returns null where the query asks for something that is not here; undefined where it asks for nothing
     */
    async findQuery(url: URL): Promise<string | null | undefined> {
      const { languages } = await publication.get()
      const { of, format } = readOldAddress(url, languages)
      if (of.kind === 'all' && format === undefined) return undefined
      return (await pathOf(url, true)) ?? null
    },
  }
}

function placeOf(article: Article | undefined): Place | undefined {
  // That there is a draft of this name is nobody's business.
  if (article?.state !== 'published' && article?.state !== 'withdrawn') return undefined
  return { path: articlePath(article.slug), subject: `responses:${article.slug}`, isArticle: true }
}
