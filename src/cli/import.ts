import { Worker } from 'node:worker_threads'
import type { Command } from 'commander'
import { isLanguageTag } from '../domain/publication.ts'
import { DomainError } from '../errors.ts'
import type { ImportReport } from '../import/batch.ts'
import type { WordpressReport } from '../import/import-wordpress.ts'
import { ToldError, UsageError } from './command.ts'
import type { ImportJob, ImportMessage } from './import-thread.ts'
import { createProgress, printResult, type Progress } from './output.ts'

interface Options {
  language?: string
  json?: boolean
}

export function importCommand(program: Command): void {
  const command = program
    .command('import')
    .description('bring in articles from elsewhere; a second time changes only what was edited')
  command
    .command('wxr <file>')
    .description('an export of WordPress (Tools, Export, "All content")')
    .option('--language <tag>', 'of every post; else the script of each tells')
    .option('--json', 'print the report for programs')
    .action(async (file: string, options: Options) => {
      const report = (await runImport({ kind: 'wxr', file }, options)) as WordpressReport
      printReport(options, report, [...toLines(report), ...toWordpressLines(report), ...toErrorLines(report)])
    })
  command
    .command('feed <url>')
    .description('what an RSS or Atom feed of the open internet holds now')
    .option('--language <tag>', 'of every article; else the script of each tells')
    .option('--json', 'print the report for programs')
    .action(async (url: string, options: Options) => {
      const report = await runImport({ kind: 'feed', url }, options)
      printReport(options, report, [...toLines(report), ...toErrorLines(report)])
    })
}

function runImport(source: ImportJob['source'], { language }: Options): Promise<ImportReport> {
  if (language !== undefined && !isLanguageTag(language)) {
    throw new UsageError('--language takes a BCP 47 tag, such as fr or ar.')
  }
  const progress = createProgress('Importing')
  return runThread({ source, language }, progress.show).finally(progress.end)
}

/**
 * On a large machine garbage piles up to hundreds of megabytes before it is collected. The heap of a thread can be
 * limited: a small one for what is young is collected often, and 256 MB hold the longest posts that are taken.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 256 }

function runThread(job: ImportJob, onProgress: Progress['show']): Promise<ImportReport> {
  const thread = new Worker(new URL('./import-thread.ts', import.meta.url), {
    workerData: job,
    resourceLimits,
  })
  return new Promise((resolve, reject) => {
    thread.on('message', (message: ImportMessage) => {
      if ('progress' in message) onProgress(...message.progress)
      else if ('report' in message) resolve(message.report)
      else reject(new ToldError(message.failure))
    })
    thread.on('error', reject)
    thread.on('exit', () => {
      reject(new Error('the import ended early'))
    })
  })
}

/** @throws DomainError `import_incomplete`: exit code 1 after the report */
function printReport(options: Options, report: ImportReport, lines: string[]): void {
  printResult(options, report, lines)
  if (report.failed === 0) return
  throw new DomainError(
    'invalid',
    'import_incomplete',
    `${report.failed} could not be imported; everything else was. Correct them and import again.`,
  )
}

const toLines = (report: ImportReport): string[] => [
  `${report.posts} posts: ${report.created} created, ${report.updated} updated, ${report.unchanged} unchanged, ${report.failed} failed`,
  ...(report.newGuids > 0
    ? [`${report.newGuids} had the guid of another post and were given their own`]
    : []),
]

const sumOf = (counts: object): number =>
  (Object.values(counts) as number[]).reduce((total, count) => total + count, 0)

const listOf = (counts: object): string =>
  Object.entries(counts as Record<string, number>)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'

const toWordpressLines = ({ responses, leftOut, repairs, responsesLeftOut }: WordpressReport): string[] => [
  `${sumOf(responses)} responses: ${listOf(responses)}; ${responsesLeftOut} not approved left out`,
  `${sumOf(leftOut)} items left out: ${listOf(leftOut)}`,
  `${sumOf(repairs)} repairs of the file: ${listOf(repairs)}`,
]

const toErrorLines = ({ errors, failed }: ImportReport): string[] => [
  ...errors.map(
    ({ id, title, line, message }) =>
      `  ${line > 0 ? `line ${line}: ` : ''}post ${id} "${title}": ${message}`,
  ),
  ...(failed > errors.length ? [`  … and ${failed - errors.length} more`] : []),
]
