import { dateIn, lastDates } from '../../domain/calendar.ts'
import { complaintLimit } from '../../domain/deliverability/bounce.ts'
import type { BounceDay } from '../../store/deliverability/bounces.ts'
import type { Parts } from '../parts.ts'

const mostDomains = 20

export function createDeliverabilityService(parts: Pick<Parts, 'database' | 'config' | 'signer' | 'now'>) {
  const { database, config, signer, now } = parts
  return {
    /** The last days of the publication in numbers. */
    async report(days: number) {
      const { zone } = await database.stores.publication.get()
      const dates = lastDates(dateIn(zone, now()), days)
      const [since = ''] = dates
      const [bounces, sent] = await Promise.all([
        database.stores.bounces.listDays(since, zone),
        database.stores.bounces.listAcceptedDays(since),
      ])
      const accepted = sumOf(sent.map((day) => day.accepted))
      const countOf = (source: BounceDay['source']) =>
        sumOf(bounces.filter((each) => each.source === source).map((each) => each.n))
      const complaints = countOf('arf')
      const complaintRate = accepted === 0 ? 0 : complaints / accepted
      return {
        days,
        accepted,
        rejected: countOf('smtp'),
        returned: countOf('dsn'),
        complaints,
        complaintRate,
        isOverLimit: complaintRate >= complaintLimit,
        signedBy: signer.domain,
        bounceDomain: config.bounceDomain,
        isReading: config.inboundPort !== undefined,
        byDay: toDays(dates, sent, bounces),
        domains: groupByDomain(bounces),
      }
    },
  }
}

const sumOf = (numbers: number[]): number => numbers.reduce((sum, n) => sum + n, 0)

/** What was accepted, and what was refused, returned or complained about. */
const toDays = (dates: string[], sent: { date: string; accepted: number }[], bounces: BounceDay[]) =>
  dates.map((date) => ({
    date,
    up: sent.find((day) => day.date === date)?.accepted ?? 0,
    down: sumOf(bounces.filter((each) => each.date === date).map((each) => each.n)),
  }))

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
