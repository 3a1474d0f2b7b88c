import { dateIn } from '../../domain/calendar.ts'
import { nameOf, type Article } from '../../domain/articles/article.ts'
import { arranged } from '../../domain/articles/front-page.ts'
import { leastViews, mostReadOnPages } from '../../domain/articles/most-read.ts'
import { isShown, pickPath } from '../../domain/articles/pick.ts'
import type { Publication } from '../../domain/publication.ts'
import type { Parts } from '../parts.ts'
import { toCard } from './cards.ts'

/** What lists of articles follow. */
export interface Listed {
  publication: Publication
  /** The page's: names of selections follow it. */
  language: string
}

const cardsOnFront = 14
const cardsInOtherLanguages = 6
const cardsInPick = 5
/** Those that a page offers beside its stories. */
export const newslettersInBox = 4

/** The front page: news, what is most read, and the picks beside them. */
export function createFront({
  config: { publicUrl },
  database,
  now,
}: Pick<Parts, 'config' | 'database' | 'now'>) {
  const { articles, newsletters, picks } = database.stores

  /** Picks that stand beside the news, as far as this language has their articles. */
  const listBeside = async ({ publication, language }: Listed) => {
    const shown = (await picks.listOnFront()).filter((pick) => isShown(pick, now()))
    const found = await articles.listByIds(shown.flatMap(({ articleIds }) => articleIds))
    const readable = found.filter((one) => one.state === 'published' && one.language === language)
    return shown.flatMap((pick) => {
      const cards = readable
        .filter(({ id }) => pick.articleIds.includes(id))
        .sort((a, b) => pick.articleIds.indexOf(a.id) - pick.articleIds.indexOf(b.id))
        .slice(0, cardsInPick)
        .map((article) => toCard(article, publication, publicUrl))
      return cards.length > 0 ? [{ name: nameOf(pick, language), path: pickPath(pick.slug), cards }] : []
    })
  }

  /** The newest articles in the page's language; with `others`, what is new in every other language too. */
  return async ({ publication, language }: Listed, { others }: { others: boolean }) => {
    const read = { language, limit: mostReadOnPages, atLeast: leastViews }
    const [newest, inOtherLanguages, readToday, readEver, offered, picksOnFront] = await Promise.all([
      articles.listPublic({ language, state: 'published', limit: cardsOnFront }),
      others
        ? articles.listPublic({ exceptLanguage: language, state: 'published', limit: cardsInOtherLanguages })
        : [],
      articles.listMostRead({ ...read, date: dateIn(publication.zone, now()) }),
      articles.listMostRead(read),
      newsletters.listForBox(language, newslettersInBox),
      listBeside({ publication, language }),
    ])
    const toCards = (list: Article[]) => list.map((article) => toCard(article, publication, publicUrl))
    const isOfToday = new Set(readToday.map(({ id }) => id))
    return {
      ...arranged(toCards(newest)),
      inOtherLanguages: toCards(inOtherLanguages),
      readToday: toCards(readToday),
      readEver: toCards(readEver.filter(({ id }) => !isOfToday.has(id))),
      newsletters: offered,
      picks: picksOnFront,
    }
  }
}
