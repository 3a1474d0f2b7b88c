import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { ToldError, UsageError } from './failure.ts'
import type { Context } from '../context.ts'
import type { ImportReport, ImportShape } from '../services/subscribers/import/report.ts'
import { cliActor, withContext } from './command.ts'
import { printResult, tellOfNoWorker, toTable, watch } from './output.ts'

interface ImportFlags {
  dryRun?: boolean
  consentBasis?: string
  wait: boolean
  json?: boolean
}

/** Hands a CSV to the workers, and watches until it is placed. */
export async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  )
  if (!isFile) throw new UsageError(`There is no file ${file}; name a CSV with a header line.`)
  const ended = await withContext(async (context) => {
    const { imports } = context.services
    const { id } = await imports.upload(createReadStream(file), {
      actor: cliActor,
      isDryRun: flags.dryRun ?? false,
      consentBasis: flags.consentBasis,
    })
    const hasWorker = await imports.hasWorker()
    if (!hasWorker) tellOfNoWorker('the import waits')
    return hasWorker && flags.wait ? watchImport(context, id) : imports.get(id)
  })
  printResult(flags, ended, toLines(ended))
  if (ended.state === 'failed')
    throw new ToldError('The import was given up; the log of the worker tells why.')
}

const watchImport = ({ services }: Context, id: number): Promise<ImportShape> =>
  watch(
    `Import ${id}`,
    () => services.imports.get(id),
    ({ progress: { rows, total }, state }) => ({
      shown: [rows, total, state],
      isOver: state === 'done' || state === 'failed',
    }),
  )

const toLines = ({ id, state, dryRun, report }: ImportShape): string[] => [
  `Import ${id}: ${state}`,
  ...(dryRun ? ['Dry run: nothing was changed.'] : []),
  ...toTable([
    ['rows', String(report.rows)],
    ['active', String(report.active)],
    ['pending, an activation mail follows', String(report.pending)],
    ['came in as ended', String(report.ended)],
    ['known already', String(report.known)],
    ['left before', String(report.left)],
    ['suppressed', String(report.suppressed)],
    ['invalid', String(report.invalid)],
  ]),
  ...foundLines(report),
  ...report.errors.map(({ line, message }) => `line ${line}: ${message}`),
]

const foundLines = (report: ImportReport): string[] => [
  `read as ${report.encoding}, separator ${report.separator}`,
  ...(report.ignoredColumns.length > 0 ? [`columns left out: ${report.ignoredColumns.join(', ')}`] : []),
  ...report.newsletters.map(({ newsletter, rows }) => `newsletter ${newsletter}: ${rows} rows`),
  ...(report.defaultNewsletter
    ? [
        `rows that name no newsletter: ${report.defaultNewsletter.rows}, they subscribe to ${report.defaultNewsletter.newsletter}`,
      ]
    : []),
  ...report.statusWords.map(
    ({ column, word, means, rows }) => `${column}${word && ` "${word}"`}: ${means}, ${rows} rows`,
  ),
  ...(report.guessedDates > 0
    ? [
        `dates of consent read day first that could be month first: ${report.guessedDates}; if so, write 2025-01-31`,
      ]
    : []),
]
