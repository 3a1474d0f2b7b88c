import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tellChanges } from '../../src/http/audit-words.ts'
import { listKeys } from '../../src/locales.ts'

test('whatever is written into the log has words on the desk', () => {
  const services = readdirSync('src/services', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  const written = services.flatMap((name) =>
    [
      ...readFileSync(`src/services/${name}`, 'utf8').matchAll(
        /(?:insert|change|decide)\(\s*[^'()]*'([a-z]+\.[a-z_-]+)'/g,
      ),
    ].map(([, action = '']) => action),
  )
  expect(new Set(written).size).toBeGreaterThan(30)
  const words = new Set(listKeys('en'))
  expect([...new Set(written)].filter((action) => !words.has(`desk.audit.actions.${action}`))).toEqual([])
  const sources = services.map((name) => readFileSync(`src/services/${name}`, 'utf8')).join()
  const inserted = [...sources.matchAll(/audit\.insert\([^`]*`([a-z]+):/g)].map(([, kind = '']) => kind)
  expect(new Set(inserted).size).toBeGreaterThan(8)
  expect(inserted.filter((kind) => !words.has(`desk.audit.subjects.${kind}`))).toEqual([])
})

test('what was and what is are told apart, of each language by itself, and nothing is null', () => {
  const detail = {
    name: 'Le Rivage → {"fr":"La Vigie","ar":"المرصد"}',
    state: 'public → ended',
    audience: null,
  }
  expect(tellChanges(detail, 'fr').map(({ sides }) => sides)).toEqual([
    ['Le Rivage', 'La Vigie · المرصد'],
    ['publique', 'terminée'],
    ['–'],
  ])
})

test('times, days and switches are said in the language of the desk', () => {
  const daily = { cadence: 'daily', weekdays: [1, 2, 3, 4, 5, 6, 7], times: ['07:00'], zone: 'UTC', skip: [] }
  const weekly = { cadence: 'weekly', weekday: 5, time: '18:00', zone: 'UTC' }
  const detail = {
    schedules: `[] → ${JSON.stringify([daily, { ...weekly, every: 1, anchor: null, ofMonth: null, skip: [] }])}`,
    cadences: `[] → ${JSON.stringify([weekly, { cadence: 'alert', maxPerDay: 3 }])}`,
    onFront: 'false → true',
    since: '– → 2026-01-01',
    intro: ' → Bonjour',
  }
  expect(tellChanges(detail, 'fr').map(({ field, sides }) => [field, sides.at(-1)])).toEqual([
    ['Horaires', 'tous les jours à 07:00 · chaque vendredi à 18:00'],
    ['Rythmes', 'Hebdomadaire · vendredi · 18:00 · UTC, Alerte · 3'],
    ['À la une, à côté des articles', 'oui'],
    ['Articles depuis le', '2026-01-01'],
    ['Introduction', 'Bonjour'],
  ])
  expect(tellChanges(detail, 'ar')[0]?.sides.at(-1)).toContain('الجمعة')
})
