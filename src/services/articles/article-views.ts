import { createHmac, randomBytes } from 'node:crypto'
import { isbot } from 'isbot'
import { dateIn } from '../../domain/calendar.ts'
import type { Parts } from '../parts.ts'

/** Who looks at a page, for as long as it takes to count them. */
interface Visitor {
  address: string
  userAgent: string | undefined
}

export function createViewService({ database, now }: Pick<Parts, 'database' | 'now'>) {
  return {
    /**
     * Counts a page view once a visitor and day; keeps no address and no agent. Programs are left out: they name
     * themselves, and that is enough for a count without cookies. False where nothing was counted.
     * @param isFirst whether this visitor, by a name that means nothing after the day, has not come before
     */
    async count(
      slug: string,
      visitor: Visitor,
      isFirst: (visitor: string) => Promise<boolean>,
    ): Promise<boolean> {
      const { userAgent = '', address } = visitor
      if (userAgent === '' || isbot(userAgent)) return false
      const { articleViews } = database.stores
      if (!(await articleViews.isPublished(slug))) return false
      const { zone } = await database.stores.publication.get()
      const date = dateIn(zone, now())
      const key = await articleViews.keyOf(date, randomBytes(32))
      const name = createHmac('sha256', key).update(`${slug}\n${address}\n${userAgent}`).digest('base64url')
      return (await isFirst(name)) && articleViews.insert(slug, date)
    },
  }
}
