import { expect, test } from 'vitest'
import { drawChart } from '../../src/http/charts.ts'
import { signedIn } from '../support/desk.ts'
import { aWeb } from '../support/web.ts'
import { query } from '../support/sending-digest.ts'
import { cloneDatabase } from '../support/database.ts'

test('the report adds up days and domains, and every bar stays inside its drawing', async () => {
  const databaseUrl = await cloneDatabase()
  const web = await aWeb({ databaseUrl })
  await query(
    databaseUrl,
    `insert into bounces (source, class, domain) values
     ('dsn', 'dead', 'a.example'), ('dsn', 'policy', 'a.example'), ('arf', 'complaint', 'b.example'), ('smtp', 'dead', 'b.example')`,
  )
  const report = await web.context.services.deliverability.report(30)
  expect(report).toMatchObject({ accepted: 0, rejected: 1, returned: 2, complaints: 1, isOverLimit: false })
  expect(report.domains).toEqual([
    { domain: 'a.example', dead: 1, full: 0, policy: 1, complaint: 0, other: 0 },
    { domain: 'b.example', dead: 1, full: 0, policy: 0, complaint: 1, other: 0 },
  ])
  const chart = drawChart(report.byDay)
  expect(chart.bars).toHaveLength(30)
  expect(chart.bars.at(-1)).toMatchObject({ down: 4 })
  for (const bar of chart.bars) {
    expect(bar.x + bar.width).toBeLessThanOrEqual(chart.width)
    expect(bar.upY).toBeGreaterThanOrEqual(0)
    expect(chart.axis + 2 + bar.downHeight).toBeLessThanOrEqual(chart.height)
  }
  const page = await (await (await signedIn(web, 'viewer')).get('/deliverability')).text()
  expect(page).toContain('a.example')
  expect(page.match(/<rect /g)).toHaveLength(60)
  expect(page).not.toMatch(/desk\.deliverability/)
})
