import { get, type DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

const shownDays = 30

/** How our mail fares: what is accepted, what is refused or comes back, at which providers. */
export function deliverabilityDesk({ deliverability }: Pick<Services, 'deliverability'>): DeskRoute[] {
  return [
    get('/deliverability', 'viewer', async ({ page }) => {
      page('desk/deliverability', { report: await deliverability.report(shownDays) })
    }),
  ]
}
