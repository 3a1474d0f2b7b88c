import { get, type DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

/** What the desk opens on. */
export function todayDesk({ today, newsletters }: Pick<Services, 'today' | 'newsletters'>): DeskRoute[] {
  return [
    get('/', 'viewer', async ({ page }) => {
      page('desk/today', { today: await today.get(), names: await newsletters.names() })
    }),
  ]
}
