import { dateIn, lastDates } from '../../domain/calendar.ts'
import type { DigestReport } from '../../store/digests/reports.ts'
import type { Parts } from '../parts.ts'
import { dayMs } from '../../domain/time.ts'

const none = { accepted: 0, rejected: 0, returned: 0, complaints: 0, joined: 0, left: 0 }
const outcomes = ['accepted', 'rejected', 'returned', 'complaints'] as const

export type ReportService = ReturnType<typeof createReportService>

/** What became of what was sent: from counts that are kept, by days of the publication's zone. */
export function createReportService({ database, now }: Pick<Parts, 'database' | 'now'>) {
  const { stores } = database
  return {
    /**
     * A digest counts on the day it began, with what came back since.
     * @throws DomainError `no_newsletter`
     */
    async ofNewsletter(slug: string, days: number) {
      const newsletter = await stores.newsletters.getBySlug(slug)
      const { zone } = await stores.publication.get()
      const dates = lastDates(dateIn(zone, now()), days)
      // A day longer than it need be, whatever the zone; what is not of these days is left out below.
      const since = new Date(now().getTime() - (days + 1) * dayMs)
      const sent = (await stores.reports.listDigests(newsletter.id, since)).map((one) => ({
        ...toReportShape(one),
        date: dateIn(zone, one.startedAt),
      }))
      const readers = await stores.reports.listReaderDays(newsletter.id, since, zone)
      const rows = dates.map((date) => {
        const { joined = 0, left = 0 } = readers.find((day) => day.date === date) ?? {}
        const row = { ...none, date, joined, left }
        for (const one of sent) if (one.date === date) for (const name of outcomes) row[name] += one[name]
        return row
      })
      const totals = { ...none }
      for (const row of rows)
        for (const name of Object.keys(none) as (keyof typeof none)[]) totals[name] += row[name]
      const digests = sent.flatMap(({ date, ...one }) => (dates.includes(date) ? [one] : []))
      return { newsletter: newsletter.slug, zone, totals, days: rows, digests }
    },

    /** Null where it has not gone out. @throws DomainError `no_digest` */
    async ofDigest(id: number) {
      const { detailsEndedAt } = await stores.digests.get(id)
      const found = await stores.reports.findDigest(id)
      const domains = detailsEndedAt ? await stores.reports.listDomains(id) : null
      return found ? { ...toReportShape(found), domains } : null
    },
  }
}

const toReportShape = ({ startedAt, ...report }: DigestReport) => ({
  ...report,
  startedAt: startedAt.toISOString(),
})
