import { get, type DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

/** What the desk opens on. */
export function todayDesk({ today, newsletters, sample }: Services): DeskRoute[] {
  return [
    get('/', 'viewer', async ({ page, session }) => {
      const isAdmin = session.role === 'admin'
      const isSample = isAdmin && (await sample.find()) !== undefined
      page('desk/today', {
        today: await today.get(),
        names: await newsletters.names(),
        isSample,
        setup: isAdmin && !isSample ? await today.findSetup() : undefined,
      })
    }),
  ]
}
