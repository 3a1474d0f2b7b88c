import { complaintLimit } from '../../domain/deliverability/bounce.ts'
import type { BounceDay } from '../../store/deliverability/bounces.ts'
import type { Parts } from '../parts.ts'

const dayMs = 24 * 3600 * 1000
const chart = { width: 720, height: 160, gap: 2 }
const mostDomains = 20

export function createDeliverabilityService(parts: Pick<Parts, 'database' | 'config' | 'signer' | 'now'>) {
  const { database, config, signer, now } = parts
  return {
    /** The last days in numbers, with the bars of a drawing 720 by 160. */
    async report(days: number) {
      const [bounces, sent] = await Promise.all([
        database.stores.bounces.listDays(days),
        database.stores.bounces.listAcceptedDays(days),
      ])
      const accepted = sumOf(sent.map((day) => day.accepted))
      const countOf = (source: BounceDay['source']) =>
        sumOf(bounces.filter((each) => each.source === source).map((each) => each.n))
      const complaints = countOf('arf')
      const complaintRate = accepted === 0 ? 0 : complaints / accepted
      return {
        days,
        chart,
        accepted,
        rejected: countOf('smtp'),
        returned: countOf('dsn'),
        complaints,
        complaintRate,
        isOverLimit: complaintRate >= complaintLimit,
        signedBy: signer.domain,
        bounceDomain: config.bounceDomain,
        isReading: config.inboundPort !== undefined,
        bars: drawBars(listDates(now(), days), sent, bounces),
        domains: groupByDomain(bounces),
      }
    },
  }
}

const sumOf = (numbers: number[]): number => numbers.reduce((sum, n) => sum + n, 0)

const listDates = (now: Date, days: number): string[] =>
  Array.from({ length: days }, (_, index) =>
    new Date(now.getTime() - (days - 1 - index) * dayMs).toISOString().slice(0, 10),
  )

/** One column a day: accepted upwards, and what was refused, returned or complained about on top of it. */
function drawBars(dates: string[], sent: { date: string; accepted: number }[], bounces: BounceDay[]) {
  const columns = dates.map((date) => {
    const day = sent.find((each) => each.date === date)
    const trouble = sumOf(bounces.filter((each) => each.date === date).map((each) => each.n))
    return { date, accepted: day?.accepted ?? 0, trouble }
  })
  const highest = Math.max(1, ...columns.map(({ accepted, trouble }) => accepted + trouble))
  const width = chart.width / dates.length
  const scale = (n: number) => Math.round((n / highest) * chart.height * 10) / 10
  return columns.map(({ date, accepted, trouble }, index) => {
    const good = scale(accepted)
    // What goes wrong is rare: it stays visible however tall the day is.
    const bad = trouble === 0 ? 0 : Math.max(2, scale(trouble))
    return {
      date,
      accepted,
      trouble,
      x: Math.round(index * width * 10) / 10,
      width: Math.round((width - chart.gap) * 10) / 10,
      good,
      bad,
      goodY: chart.height - good,
      badY: Math.max(0, chart.height - good - bad),
    }
  })
}

function groupByDomain(bounces: BounceDay[]) {
  const domains = new Map<string, Record<string, number>>()
  for (const { domain, class: bounceClass, n } of bounces) {
    const classes = domains.get(domain) ?? {}
    classes[bounceClass] = (classes[bounceClass] ?? 0) + n
    domains.set(domain, classes)
  }
  return Array.from(domains, ([domain, classes]) => ({
    domain,
    dead: (classes['dead'] ?? 0) + (classes['doubtful'] ?? 0),
    full: classes['full'] ?? 0,
    policy: classes['policy'] ?? 0,
    complaint: classes['complaint'] ?? 0,
    other: (classes['transient'] ?? 0) + (classes['content'] ?? 0) + (classes['sender'] ?? 0),
  }))
    .sort((a, b) => b.policy + b.complaint + b.dead - (a.policy + a.complaint + a.dead))
    .slice(0, mostDomains)
}
