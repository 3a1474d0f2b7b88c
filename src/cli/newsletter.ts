import type { Command } from 'commander'
import { cliActor, UsageError, withContext } from './command.ts'
import type { NewsletterInput } from '../services/newsletters/input.ts'
import { printResult, toTable } from './output.ts'

interface CreateOptions {
  name: string
  language: string
  daily?: string
  weekly?: string
  zone?: string
  alerts?: boolean
  sections?: string
  approval?: 'none' | 'one' | 'four-eyes'
  json?: boolean
}

/** `5@18:00`: an ISO weekday and a local time. */
function readWeekly(value: string): { weekday: number; time: string } {
  const [, weekday, time] = /^([1-7])@(\d\d:\d\d)$/.exec(value) ?? []
  if (weekday !== undefined && time !== undefined) return { weekday: Number(weekday), time }
  throw new UsageError('--weekly takes a weekday (1 is Monday) and a time, such as 5@18:00.')
}

export function newsletterCommand(program: Command): void {
  const newsletter = program
    .command('newsletter')
    .description('the standing publications people subscribe to')
  newsletter
    .command('create <slug>')
    .description('create a newsletter; what it draws from and its blocks can be set on the desk')
    .requiredOption('--name <name>')
    .requiredOption('--language <tag>', 'BCP 47, such as fr or ar')
    .option('--daily <time>', 'local time of a daily digest, such as 07:00')
    .option('--weekly <day@time>', 'weekday and local time of a weekly digest, such as 5@18:00')
    .option('--zone <zone>', "IANA; default: the publication's")
    .option('--alerts', 'may send alerts')
    .option('--sections <slugs>', 'separated by commas; default: every article of the language')
    .option('--approval <rule>', 'none, one or four-eyes')
    .option('--json', 'print the result for programs')
    .action(async (slug: string, options: CreateOptions) => {
      const created = await withContext(async ({ services }) => {
        const zone = options.zone ?? (await services.publication.get()).zone
        const cadences: NonNullable<NewsletterInput['cadences']> = []
        if (options.daily) cadences.push({ cadence: 'daily', time: options.daily, zone })
        if (options.weekly) cadences.push({ cadence: 'weekly', ...readWeekly(options.weekly), zone })
        if (options.alerts) cadences.push({ cadence: 'alert' })
        const input = {
          slug,
          name: options.name,
          language: options.language,
          cadences,
          ...(options.sections && { sections: options.sections.split(',') }),
          ...(options.approval && { approval: options.approval }),
        }
        return services.newsletters.toShape(await services.newsletters.create(input, cliActor))
      })
      printResult(options, created, [`${created.slug}: ${created.url}`])
    })
  newsletter
    .command('list')
    .option('--json', 'print the result for programs')
    .action(async (options: { json?: boolean }) => {
      const { shapes, lines } = await withContext(async ({ services }) => {
        const newsletters = await services.newsletters.listWithReaders()
        const rows = newsletters.map((item) => [
          item.slug,
          item.language,
          item.cadences.map((rule) => rule.cadence).join(','),
          String(item.readers),
          item.name,
        ])
        return { shapes: newsletters.map((item) => services.newsletters.toShape(item)), lines: toTable(rows) }
      })
      printResult(options, shapes, lines)
    })
}
