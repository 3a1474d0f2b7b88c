import { drawChart } from '../../http/charts.ts'
import { get, wordsOf, type DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

const shownDays = 30

/** Asks the servers that mail needs: seconds, up to a minute where they do not answer. */
export type Examine = () => Promise<{ findings: { name: string }[] }>

/** How our mail fares: what is accepted, what is refused or comes back, at which providers; and what it needs. */
export function deliverabilityDesk(
  { deliverability }: Pick<Services, 'deliverability'>,
  examine: Examine,
): DeskRoute[] {
  return [
    get('/deliverability', 'viewer', async ({ page }) => {
      const report = await deliverability.report(shownDays)
      page('desk/deliverability', { report, chart: drawChart(report.byDay) })
    }),
    get('/doctor', 'admin', async ({ request, page }) => {
      const report = request.query['run'] === 'yes' ? await examine() : undefined
      const named = report?.findings.map(({ name }) => name) ?? []
      const words = (below: string) => wordsOf(`desk.doctor.${below}`, named)
      page('desk/doctor', { report, names: words('names'), acts: words('acts') })
    }),
  ]
}
