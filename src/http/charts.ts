import type { SubscriberService } from '../services/subscribers/subscribers.ts'

type GrowthRow = Awaited<ReturnType<SubscriberService['growth']>>['rows'][number]

const weeks = 12
const barWidth = 28
const gap = 8
const half = 60

/**
 * Subscriptions begun and ended, by week, for each newsletter and each language. Geometry for inline SVG; the numbers
 * stand in a table beside it.
 */
export function drawGrowth(rows: GrowthRow[], now: Date) {
  const mondays = lastMondays(now)
  const titles = (of: 'newsletter' | 'language') => [...new Set(rows.map((row) => row[of]))].sort()
  return [
    ...titles('newsletter').map((title) =>
      chart(
        title,
        rows.filter((row) => row.newsletter === title),
        mondays,
      ),
    ),
    ...titles('language').map((title) => ({
      ...chart(
        title,
        rows.filter((row) => row.language === title),
        mondays,
      ),
      isLanguage: true,
    })),
  ]
}

function chart(title: string, rows: GrowthRow[], mondays: string[]) {
  const sums = mondays.map((week) => {
    const own = rows.filter((row) => row.week === week)
    return { week, begun: sum(own.map((row) => row.begun)), ended: sum(own.map((row) => row.ended)) }
  })
  const most = Math.max(1, ...sums.flatMap(({ begun, ended }) => [begun, ended]))
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, Math.round((count / most) * half)))
  return {
    title,
    isLanguage: false,
    begun: sum(sums.map((one) => one.begun)),
    ended: sum(sums.map((one) => one.ended)),
    width: weeks * (barWidth + gap),
    height: 2 * half + 2,
    /** Above the line what began, below it what ended. */
    axis: half,
    bars: sums.map((one, index) => ({
      ...one,
      x: index * (barWidth + gap),
      upY: half - heightOf(one.begun),
      upHeight: heightOf(one.begun),
      downHeight: heightOf(one.ended),
    })),
  }
}

const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0)

function lastMondays(now: Date): string[] {
  const monday = Date.UTC(
    now.getUTCFullYear(),
    now.getUTCMonth(),
    now.getUTCDate() - ((now.getUTCDay() + 6) % 7),
  )
  return Array.from({ length: weeks }, (_, index) =>
    new Date(monday - (weeks - 1 - index) * 7 * 86_400_000).toISOString().slice(0, 10),
  )
}
