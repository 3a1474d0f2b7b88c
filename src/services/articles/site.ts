import { dateIn } from '../../domain/calendar.ts'
import {
  articlePath,
  isPublic,
  nameOf,
  selectionPath,
  type Article,
  type Selection,
  type SelectionKind,
} from '../../domain/articles/article.ts'
import { articleUrl, feedTextOf, homeOf } from '../../domain/articles/links.ts'
import { decodeCursor, encodeCursor } from '../../domain/cursor.ts'
import { isShown, pickPath } from '../../domain/articles/pick.ts'
import { isOffered } from '../../domain/newsletter.ts'
import { isOpenHere, respondAt } from '../../domain/responses/written-response.ts'
import type { Publication } from '../../domain/publication.ts'
import { notFound } from '../../errors.ts'
import type { Parts } from '../parts.ts'
import { linkTo, toCard, toStory } from './cards.ts'
import { createFront, newslettersInBox, type Listed } from './front.ts'
import { safeHtml } from './safe-html.ts'
import { singleFlight } from '../single-flight.ts'
import { untilChange } from '../until-change.ts'

/** Where a reader is sent on; not for good where the publication's settings decide. */
interface Redirect {
  to: string
  isForGood: boolean
}

/** Where a public page stands. */
export interface LocatedPage extends Listed {
  /** Undefined where the path names none: such a page shows every language. */
  pathLanguage: string | undefined
}

const cardsOnPage = 20
const cardsInReadAlso = 3
const sectionsInNavigation = 8

export type SiteService = ReturnType<typeof createSiteService>

/** What the public pages show. Nothing here tells of drafts and scheduled articles. */
export function createSiteService({ config, database, now }: Pick<Parts, 'config' | 'database' | 'now'>) {
  const { articles, articleViews, picks, responses, selections, newsletters } = database.stores
  const { publicUrl } = config
  const atHome = (article: Article | undefined): Redirect | undefined => {
    const to = article?.state === 'published' ? homeOf(article, publicUrl) : undefined
    return to === undefined ? undefined : { to, isForGood: false }
  }
  const today = (publication: Publication) => dateIn(publication.zone, now())
  const countArticles = untilChange(
    database.stores,
    async (kind: SelectionKind, only: string | undefined) => {
      const ids = (await selections.list(kind)).map(({ id }) => id)
      return selections.countArticles(ids, only)
    },
  )

  /** A few others of its first dossier, else section, in its language. */
  const listReadAlso = async (article: Article, publication: Publication) => {
    const [dossier] = article.dossiers
    const group = dossier ?? article.sections[0]
    if (!group) return undefined
    const { language } = article
    const found = await articles.listPublic({
      selectionId: group.id,
      language,
      state: 'published',
      limit: cardsInReadAlso + 1,
    })
    const others = found.filter(({ id }) => id !== article.id).slice(0, cardsInReadAlso)
    const cards = others.map((one) => toCard(one, publication, publicUrl))
    return cards.length > 0 ? { ...linkTo(group, language), kind: group.kind, cards } : undefined
  }

  return {
    /** The sections of every page's head, in the publication's order. */
    navigation: singleFlight((): Promise<Selection[]> =>
      selections.listLeading('section', sectionsInNavigation),
    ),

    front: createFront({ config, database, now }),

    /**
     * One page of a selection, newest first, or where it is instead; of one language where `only` names it.
     * @throws DomainError `no_selection`, `invalid_cursor`
     */
    async selection(
      { publication, language }: Listed,
      wanted: { kind: SelectionKind; slug: string } & Record<'only' | 'before', string | undefined>,
    ) {
      const { kind, slug, only, before } = wanted
      const selection = await selections.findPublic(kind, slug.normalize())
      if (!selection) {
        throw notFound('no_selection', `There is no ${kind} at this address.`)
      }
      if (selection.slug !== slug.normalize())
        return { redirect: `${only === undefined ? '' : `/${only}`}${selectionPath(selection)}` }
      const found = await articles.listPublic({
        selectionId: selection.id,
        state: 'published',
        limit: cardsOnPage + 1,
        language: only,
        before: before === undefined ? undefined : positionOf(before),
      })
      const shown = found.slice(0, cardsOnPage)
      const last = shown.at(-1)
      return {
        kind,
        name: nameOf(selection, language),
        description: selection.descriptions[language] ?? '',
        selectionPath: selectionPath(selection),
        cards: shown.map((article) => toCard(article, publication, publicUrl)),
        older: found.length > cardsOnPage && last ? cursorOf(last) : undefined,
        isFirst: before === undefined,
      }
    },

    /** @throws DomainError `no_pick` */
    async pick(
      { publication, language }: Listed,
      { slug, only }: { slug: string; only: string | undefined },
    ) {
      const pick = await picks.find(slug.normalize())
      if (!pick) throw notFound('no_pick', 'There are no picks at this address.')
      const found = isShown(pick, now()) ? await articles.listByIds(pick.articleIds) : []
      return {
        kind: 'picks',
        name: nameOf(pick, language),
        description: '',
        selectionPath: pickPath(pick.slug),
        cards: found
          .filter((article) => article.state === 'published' && (!only || article.language === only))
          .map((article) => toCard(article, publication, publicUrl)),
        isFirst: true,
      }
    },

    /** Every section, or dossier, with an article in this language, or in any. */
    async index(kind: SelectionKind, language: string, only: string | undefined) {
      const all = await selections.list(kind)
      const counts = await countArticles(kind, only)
      return all.flatMap((selection) => {
        const count = counts.get(selection.id) ?? 0
        const description = selection.descriptions[language] ?? ''
        return count > 0 ? [{ ...linkTo(selection, language), description, count }] : []
      })
    },

    /** The newsletters that pages offer, those of this language first. */
    async listOffered(language: string) {
      const offered = (await newsletters.list()).filter(isOffered)
      return offered.sort((a, b) => Number(b.language === language) - Number(a.language === language))
    },

    /**
     * The article, or where it is instead. A withdrawn one comes without its words.
     * @throws DomainError `no_article`, also for drafts and scheduled articles
     */
    async article(slug: string, publication: Publication) {
      const name = slug.normalize()
      const article = await articles.findBySlug(name)
      if (!article) return { redirect: forGood(await articles.findBySlugHistory(name)) }
      requirePublic(article)
      if (article.state === 'withdrawn') return { withdrawn: toNotice(article) }
      const redirect = atHome(article)
      if (redirect) return { redirect }
      const [replies, viewsToday, translations, offered, readAlso] = await Promise.all([
        article.responsesCount > 0 ? responses.listByArticle(article.id) : [],
        articleViews.count(article.id, today(publication)),
        articles.listTranslations(article.id),
        newsletters.listForBox(article.language, newslettersInBox),
        listReadAlso(article, publication),
      ])
      const html = await safeHtml(article.html)
      const shown = replies.map(async (reply) => {
        return { ...reply, html: await safeHtml(reply.html, undefined, '', 'response') }
      })
      return {
        article: {
          ...toStory(article, publication, publicUrl),
          html,
          responses: await Promise.all(shown),
          respondAt: respondAt(article, publication, publicUrl),
          pingback:
            publication.trackbacks === 'on' && isOpenHere(article, publicUrl)
              ? `${publicUrl}/xmlrpc`
              : undefined,
          viewsToday,
          translations: translations.map((one) => ({
            language: one.language,
            title: one.title,
            url: articleUrl(one, publicUrl),
          })),
        },
        newsletters: offered,
        readAlso,
      }
    },

    /** The published ones of these in full: without those whose page is elsewhere, unless feeds may show all of their text. */
    async stories(ids: number[], publication: Publication) {
      const found = ids.length === 0 ? [] : await articles.listByIds(ids)
      const open = found.filter(
        (article) => article.state === 'published' && (!atHome(article) || feedTextOf(article) === 'full'),
      )
      return Promise.all(
        open.map(async (article) => ({
          ...toStory(article, publication, publicUrl),
          id: article.id,
          html: await safeHtml(article.html),
        })),
      )
    },

    /** @throws DomainError `no_article` */
    async shortCode(code: string): Promise<Redirect> {
      const article = await articles.findByShortCode(code)
      return atHome(article) ?? forGood(article)
    },
  }
}

function requirePublic(article: Article | undefined): asserts article is Article {
  if (article && isPublic(article)) return
  throw notFound('no_article', 'There is no article at this address.')
}

function forGood(article: Article | undefined): Redirect {
  requirePublic(article)
  return { to: articlePath(article.slug), isForGood: true }
}

const toNotice = ({ language, title, withdrawnAt, withdrawnReason }: Article) => ({
  language,
  title,
  withdrawnAt,
  withdrawnReason,
})

const cursorOf = (article: Article): string =>
  encodeCursor([article.firstPublicAt?.toISOString() ?? '', article.id])

function positionOf(cursor: string): { firstPublicAt: Date; id: number } {
  const [time = '', id] = decodeCursor(cursor, ['time', 'id'])
  return { firstPublicAt: new Date(time), id: Number(id) }
}
