import { Worker } from 'node:worker_threads'
import type { Command } from 'commander'
import { isLanguageTag } from '../domain/language.ts'
import { ToldError, UsageError } from './failure.ts'
import { invalid } from '../errors.ts'
import type { ImportLine, ImportReport } from '../import/batch.ts'
import type { FeedReport } from '../import/feed/import-feed.ts'
import type { WordpressReport } from '../import/wordpress/import-wordpress.ts'
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
    .command('wxr <file...>')
    .description('an export of WordPress (Tools, Export, "All content"), all its files at once')
    .option('--language <tag>', 'of every post; else each says its own')
    .option('--json', 'print the report for programs')
    .action(async (files: string[], options: Options) => {
      const report = (await runImport({ kind: 'wxr', files }, options)) as WordpressReport
      printReport(options, report, [...toLines(report), ...toWordpressLines(report), ...toRemarks(report)])
    })
  command
    .command('feed <url>')
    .description('what an RSS or Atom feed of the open internet holds now')
    .option('--language <tag>', 'of every article; else each says its own')
    .option('--json', 'print the report for programs')
    .action(async (url: string, options: Options) => {
      const report = (await runImport({ kind: 'feed', url }, options)) as FeedReport
      printReport(options, report, [
        ...toLines(report),
        `${sumOf(report.leftOut)} items left out: ${listOf(report.leftOut)}`,
        repairLine(report, 'feed'),
        ...toRemarks(report),
      ])
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
  throw invalid(
    'import_incomplete',
    `${report.failed} could not be imported; everything else was. Correct them and import again.`,
  )
}

const toLines = (report: ImportReport): string[] => [
  `${report.posts} posts: ${report.created} created, ${report.updated} updated, ${report.unchanged} unchanged, ${report.failed} failed`,
  ...(report.older > 0 ? [`${report.older} are older than what is stored, which stays`] : []),
  ...(report.held > 0
    ? [`${report.held} were corrected here and stay as they are (on the desk: “take the site’s version”)`]
    : []),
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

const repairLine = ({ repairs }: { repairs: object }, of: string): string =>
  `${sumOf(repairs)} repairs of the ${of}: ${listOf(repairs)}`

function toWordpressLines(report: WordpressReport): string[] {
  const { items, responses, leftOut, responsesLeftOut, picturesMissing } = report
  return [
    `${sumOf(responses)} responses: ${listOf(responses)}; ${responsesLeftOut} not approved left out`,
    `${sumOf(leftOut)} items left out: ${listOf(leftOut)}`,
    `${items} items in the file`,
    ...(picturesMissing > 0
      ? [
          `${picturesMissing} pictures are not in the file: if the export has more files, import all in one command`,
        ]
      : []),
    repairLine(report, 'file'),
  ]
}

const toRemarks = ({ errors, failed, notes, noted }: ImportReport): string[] => [
  ...toRemarkLines(errors, failed),
  ...toRemarkLines(notes, noted),
]

const toRemarkLines = (remarks: ImportLine[], count: number): string[] => [
  ...remarks.map(({ id, title, file, line, message }) => {
    const place = [...(file === undefined ? [] : [file]), ...(line > 0 ? [`line ${line}`] : [])].join(', ')
    const post = id === '' && title === '' ? '' : `post ${id} "${title}"`
    return `  ${[place, post, message].filter((word) => word !== '').join(': ')}`
  }),
  ...(count > remarks.length ? [`  … and ${count - remarks.length} more`] : []),
]
