import type { DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

/** What readers get, who asks for it, and what was left out. */
export function feedsDesk({ feeds }: Pick<Services, 'feeds'>): DeskRoute[] {
  return [
    {
      method: 'get',
      path: '/feeds',
      role: 'viewer',
      handle: async ({ page }) => {
        const list = await feeds.list()
        page('desk/feeds', { feeds: list, broken: list.filter(({ leftOut }) => leftOut.length > 0) })
      },
    },
  ]
}
