import { z } from 'zod'
import { show } from '../../../domain/fields.ts'
import { columnUses, findColumns } from '../../../domain/subscribers/import-columns.ts'
import { isOffered, type Newsletter } from '../../../domain/newsletter.ts'
import type { InterfaceLanguage } from '../../../domain/language.ts'
import { interfaceLanguageOf, translate } from '../../../locales.ts'
import type { StoredImport } from '../../../store/subscribers/imports.ts'
import type { CsvFormat } from './csv-format.ts'
import type { Problem, Row } from './csv.ts'
import { importOutcomes, type ImportOutcome } from './rows.ts'

/** What has become of the rows so far, as it is committed with them. */
export interface Tally extends Record<ImportOutcome, number> {
  invalid: number
  /** Rows by slug. */
  newsletters: Record<string, number>
  /** Rows that named no newsletter. */
  defaulted: number
  /** Dates read day first that could be month first. */
  guessedDates: number
  /** By column and word. */
  said: Record<string, { column: string; word: string; means: string; rows: number }>
}

/** One for what may become of a row, or be wrong with it. */
export const countsOf = <Count>(count: (name: ImportOutcome | 'invalid') => Count) =>
  Object.fromEntries([...importOutcomes, 'invalid' as const].map((name) => [name, count(name)])) as Record<
    ImportOutcome | 'invalid',
    Count
  >

const reportShape = z.object({
  rows: z.int(),
  ...countsOf(() => z.int()),
  encoding: z.string(),
  separator: z.string(),
  columns: z.array(z.object({ column: z.string(), use: z.enum(columnUses) })),
  /** Of which nothing was made. */
  ignoredColumns: z.array(z.string()),
  /** Rows that name each. */
  newsletters: z.array(z.object({ newsletter: z.string(), rows: z.int() })),
  defaultNewsletter: z
    .object({ newsletter: z.string(), rows: z.int() })
    .nullable()
    .describe('What rows that name none subscribe to'),
  statusWords: z.array(z.object({ column: z.string(), word: z.string(), means: z.string(), rows: z.int() })),
  guessedDates: z.int().describe('Dates of consent read day first that could be month first'),
  errors: z
    .array(z.object({ line: z.int(), field: z.string(), message: z.string() }))
    .describe('Of the first thousand invalid rows; the first line of the file is 1'),
})

/** An import as the API shows it. */
export const importShape = z.object({
  id: z.int(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  dryRun: z.boolean(),
  consentBasis: z.string().nullable(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  progress: z.object({ rows: z.int(), total: z.int().describe('Lines of the file until it is over') }),
  report: reportShape,
})

export type ImportShape = z.output<typeof importShape>
export type ImportReport = z.output<typeof reportShape>

const kept = { problems: 1_000, words: 200 }

export const emptyTally = (): Tally => ({
  ...countsOf(() => 0),
  newsletters: {},
  defaulted: 0,
  guessedDates: 0,
  said: {},
})

/** The tally with one more batch, and those of its problems that are still kept. */
export function addBatch(
  tally: Tally,
  { rows, problems, outcomes }: { rows: Row[]; problems: Problem[]; outcomes: ImportOutcome[] },
): { next: Tally; problems: Problem[] } {
  const next = structuredClone(tally)
  for (const outcome of outcomes) next[outcome] += 1
  for (const row of rows) {
    for (const { slug } of row.newsletters) next.newsletters[slug] = (next.newsletters[slug] ?? 0) + 1
    if (row.isDefault) next.defaulted += 1
    if (row.isGuessedDate) next.guessedDates += 1
    for (const one of row.said) {
      const key = `${one.column}\n${one.word}\n${one.means}`
      if (next.said[key] || Object.keys(next.said).length < kept.words)
        next.said[key] = { ...one, rows: (next.said[key]?.rows ?? 0) + 1 }
    }
  }
  next.invalid += problems.length
  return { next, problems: problems.slice(0, Math.max(0, kept.problems - tally.invalid)) }
}

/** @param language of the sentences that say what is wrong with a row */
export function toImportShape(stored: StoredImport, newsletters: Newsletter[], language = 'en'): ImportShape {
  const isOver = stored.state === 'done' || stored.state === 'failed'
  return show(importShape, {
    ...stored,
    dryRun: stored.isDryRun,
    consentBasis: stored.basis,
    progress: {
      rows: stored.rowsRead,
      total: isOver ? stored.rowsRead : Math.max(stored.lines, stored.rowsRead),
    },
    report: reportOf(stored, newsletters, interfaceLanguageOf(language)),
  })
}

const separatorNames: Record<string, string> = { '\t': 'tab' }

function reportOf(stored: StoredImport, offered: Newsletter[], language: InterfaceLanguage): ImportReport {
  const { newsletters, defaulted, guessedDates, said, ...counts } = {
    ...emptyTally(),
    ...(stored.report as Partial<Tally>),
  }
  const { encoding, separator, header = ['email'], columns: map } = stored.format as CsvFormat
  const columns = findColumns(header, map)
  const first = offered.find(isOffered)?.slug
  const namesNone = defaulted > 0 || columns.fields.newsletters === undefined
  return {
    rows: stored.rowsRead,
    ...counts,
    encoding,
    separator: separatorNames[separator] ?? separator,
    columns: header.map((column, index) => ({ column, use: columns.uses[index] ?? 'ignored' })),
    ignoredColumns: columns.ignored,
    newsletters: offered.flatMap(({ slug }) =>
      newsletters[slug] === undefined ? [] : [{ newsletter: slug, rows: newsletters[slug] }],
    ),
    defaultNewsletter: namesNone && first !== undefined ? { newsletter: first, rows: defaulted } : null,
    statusWords: Object.values(said).sort((one, other) => other.rows - one.rows),
    guessedDates,
    errors: (stored.problems as Problem[]).map(({ line, field, problem, word = '' }) => ({
      line,
      field,
      message: translate(language, `imports.problems.${problem}`, { field, word }),
    })),
  }
}
