import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cliActor } from '../../src/cli/command.ts'
import { findAddress } from '../../src/domain/subscribers/address.ts'
import { quoteCsv, unquoteCsv } from '../../src/services/subscribers/csv-cells.ts'
import { importCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb, type Web } from '../support/web.ts'

const basis = 'moved from our old system'

async function aNewsroom() {
  const web = await aWeb()
  const { selections } = web.context.services
  for (const slug of ['culture', 'sport'])
    await selections.create('section', { slug, names: { fr: slug } }, { kind: 'system', role: 'admin' })
  const cadences = [
    { cadence: 'daily', time: '07:00', zone: 'UTC' },
    { cadence: 'weekly', weekday: 1, time: '07:00', zone: 'UTC' },
    { cadence: 'alert' },
  ] as const
  await aNewsletter(web.context.database, { slug: 'le-matin', cadences: [...cadences] })
  await aNewsletter(web.context.database, { slug: 'hebdo', cadences: [...cadences] })
  return web
}

async function exportOf(web: Web): Promise<string> {
  let text = ''
  for await (const part of web.context.services.subscribers.export(cliActor)) text += part
  return text
}

const local = fc
  .string({ unit: fc.constantFrom(...Array.from("'=+-!#$%&*/?^_`{|}~aAé0")), minLength: 1, maxLength: 8 })
  .filter((text) => findAddress(`${text}@reader.example`)?.local === text)
const hostile = ["'a", "''a", "'=a", "''+a", '=cmd|x', '+33612', '-x', "'-x", '-', "'", '=', '#']
const word = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((text) => text.replaceAll('\0', '').replace(/\r\n?/g, '\n').trim())

const person = fc.record({
  language: fc.constantFrom('fr', 'ar', 'en'),
  newsletters: fc.constantFrom('le-matin', 'hebdo', 'le-matin hebdo'),
  sections: fc.constantFrom('', 'culture', 'culture sport'),
  cadence: fc.constantFrom('daily', 'weekly', 'alert'),
  alerts: fc.boolean(),
  paused_until: fc.constantFrom('', '2031-02-03T04:05:06.007Z'),
  status: fc.constantFrom('active', 'pending', 'ended'),
  consent_date: fc.constantFrom('', '2019-03-04T05:06:07.008Z', '2024-02-29T00:00:00.000Z'),
  consent_source: fc.oneof(
    word,
    fc.constantFrom("'=1+1", '=HYPERLINK("x";"y")', 'a\nb', "'quoted'", '"; --'),
  ),
  consent_basis: fc.constantFrom('', 'form of 2019', '@home, +1'),
})
type Person = typeof person extends fc.Arbitrary<infer T> ? T : never

test('the export of any subscribers, imported elsewhere, is exported the same', async () => {
  const columns = [
    'language',
    'newsletters',
    'sections',
    'cadence',
    'alerts',
    'paused_until',
    'status',
    'consent_date',
    'consent_source',
    'consent_basis',
  ] as const
  const lineOf = (name: string, one: Person) =>
    [`${name}@reader.example`, ...columns.map((column) => one[column])].map(quoteCsv).join(',')
  const [people = []] = fc.sample(fc.array(person, { minLength: 150, maxLength: 150 }), {
    numRuns: 1,
    seed: 7,
  })
  const names = [
    ...new Set(
      [
        ...hostile.filter((text) => findAddress(`${text}@reader.example`)),
        ...fc.sample(local, { numRuns: 300, seed: 7 }),
      ].map((text) => text.toLowerCase()),
    ),
  ]
  const first = await aNewsroom()
  const rows = names.slice(0, people.length).map((name, index) => lineOf(name, people[index] as Person))
  const report = await importCsv(first, `email,${columns.join(',')}\n${rows.join('\n')}\n`, { basis })
  expect(report.errors).toEqual([])
  for (const reason of ['bounced', 'complained'] as const) {
    await importCsv(first, `email,status\n${reason}@reader.example,\n`, { basis })
    await importCsv(first, `email,status\n${reason}@reader.example,${reason}\n`)
  }
  const exported = await exportOf(first)
  for (const told of ["\n''=a@", "\n'+33612@", "\n'a@"]) expect(exported).toContain(told)
  const second = await aNewsroom()
  const again = await importCsv(second, exported, { basis })
  expect([again.invalid, again.ignoredColumns]).toEqual([0, []])
  expect(sorted(await exportOf(second))).toEqual(sorted(exported))
  const suppressed = 'select reason from suppressions order by reason'
  expect(await rowsOf(second, suppressed)).toEqual(await rowsOf(first, suppressed))
})

/** In an order of its own: ids follow the file. */
const sorted = (csv: string) => csv.split('\n').sort()

test('what is kept from a spreadsheet comes back as it was, whatever it begins with', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from("'=+-@ab\t")) }), (text) => {
      const cell = quoteCsv(text)
      const read = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
      expect(unquoteCsv(read)).toBe(text)
      expect(read).not.toMatch(/^[=+\-@\t]/)
    }),
  )
})

test('imports of before keep the day of the import as their date of consent', async () => {
  const web = await aNewsroom()
  await importCsv(web, 'email,consent_date\na@reader.example,2019-03-04\nb@reader.example,\n', { basis })
  await rowsOf(web, "update subscriptions set activated_at = '2025-06-07T08:09:10Z'")
  const dates = (await exportOf(web))
    .split('\n')
    .slice(1, 3)
    .map((line) => line.split(',')[8])
  expect(dates).toEqual(['2019-03-04T00:00:00.000Z', '2025-06-07T08:09:10.000Z'])
})
