import type { Command } from 'commander'
import { isLanguageTag } from '../domain/publication.ts'
import { DomainError } from '../errors.ts'
import { importWordpress, type WordpressReport } from '../import/import-wordpress.ts'
import { cliActor, UsageError, withContext } from './command.ts'
import { createProgress, printResult } from './output.ts'

interface Options {
  language?: string
  json?: boolean
}

export function importCommand(program: Command): void {
  program
    .command('import')
    .description('bring in articles from elsewhere; a second time changes only what was edited')
    .command('wxr <file>')
    .description('an export of WordPress (Tools, Export, "All content")')
    .option('--language <tag>', 'of every post; else the script of each tells')
    .option('--json', 'print the report for programs')
    .action(async (file: string, options: Options) => {
      if (options.language !== undefined && !isLanguageTag(options.language))
        throw new UsageError('--language takes a BCP 47 tag, such as fr or ar.')
      const progress = createProgress('Importing')
      const report = await withContext(async ({ services }) => {
        const { languages, zone } = await services.publication.get()
        return importWordpress(services, {
          file,
          actor: cliActor,
          language: options.language,
          languages,
          zone,
          onProgress: progress.show,
        })
      }).finally(progress.end)
      printResult(options, report, toLines(report))
      if (report.failed > 0) {
        throw new DomainError(
          'invalid',
          'import_incomplete',
          `${report.failed} could not be imported; everything else was. Correct them and import again.`,
        )
      }
    })
}

function toLines(report: WordpressReport): string[] {
  const { responses, leftOut, repairs } = report
  const sum = (counts: object) => (Object.values(counts) as number[]).reduce((total, n) => total + n, 0)
  const list = (counts: object) =>
    Object.entries(counts as Record<string, number>)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ')
  return [
    `${report.posts} posts: ${report.created} created, ${report.updated} updated, ${report.unchanged} unchanged, ${report.failed} failed`,
    ...(report.newGuids > 0
      ? [`${report.newGuids} had the guid of another post and were given their own`]
      : []),
    `${sum(responses)} responses: ${list(responses) || 'none'}; ${report.responsesLeftOut} not approved left out`,
    `${sum(leftOut)} items left out: ${list(leftOut) || 'none'}`,
    `${sum(repairs)} repairs of the file: ${list(repairs) || 'none'}`,
    ...report.errors.map(
      ({ id, title, line, message }) => `  line ${line}: post ${id} "${title}": ${message}`,
    ),
    ...(report.failed > report.errors.length ? [`  … and ${report.failed - report.errors.length} more`] : []),
  ]
}
