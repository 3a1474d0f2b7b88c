import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { collectProcessMetrics, createMetrics } from '../../src/metrics.ts'

test.each(['deploy/alerts.yml', 'deploy/grafana.json', 'docs/operations.md'])(
  '%s names metrics that there are',
  async (path) => {
    const metrics = createMetrics()
    collectProcessMetrics(metrics)
    const known = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name))
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    const named =
      text.match(
        /\b(?:depeche|nodejs|process)_\w+_\w+|\bdepeche_(?:up|held|digests|deliveries|obstacle)\b/g,
      ) ?? []
    expect(named.length).toBeGreaterThan(5)
    const unknown = named.filter(
      (name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|count|sum)$/, '')),
    )
    expect(unknown.filter((name) => name !== 'depeche_session')).toEqual([])
  },
)
