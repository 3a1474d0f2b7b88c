import { isbot } from 'isbot'
import { dateIn } from '../../domain/publication.ts'
import type { Parts } from '../parts.ts'

export function createViewService({ database, now }: Pick<Parts, 'database' | 'now'>) {
  const today = async (): Promise<string> => {
    const { zone } = await database.stores.publication.get()
    return dateIn(zone, now())
  }
  return {
    /**
     * Counts one page view; keeps no address and no agent. False for what is not published, and for programs: they name
     * themselves, and that is enough for a count without cookies.
     */
    async count(slug: string, userAgent: string | undefined): Promise<boolean> {
      if (userAgent === undefined || userAgent === '' || isbot(userAgent)) return false
      return database.stores.articleViews.insert(slug, await today())
    },

    /** Views of an article on the publication's current day. */
    today: async (articleId: number): Promise<number> =>
      database.stores.articleViews.count(articleId, await today()),

    /** The publication's current day, such as 2026-03-14: what "most read today" is counted by. */
    date: today,
  }
}
