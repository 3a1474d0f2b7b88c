import type { Command } from 'commander'
import { UsageError } from './failure.ts'
import { answer, cliActor, withJson } from './command.ts'
import { findCadence } from '../domain/newsletter.ts'
import { scheduleInWords } from '../locales.ts'
import type { NewsletterInput } from '../services/newsletters/input.ts'
import { toTable } from './output.ts'

interface CreateOptions {
  name: string
  language: string
  daily?: string
  weekly?: string
  zone?: string
  alerts?: boolean
  sections?: string
  approval?: 'none' | 'one' | 'four-eyes'
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
  withJson(
    newsletter,
    'create <slug>',
    'create a newsletter; what it draws from and its blocks can be set on the desk',
  )
    .requiredOption('--name <name>')
    .requiredOption('--language <tag>', 'BCP 47, such as fr or ar')
    .option('--daily <time>', 'local time of a daily digest, such as 07:00')
    .option('--weekly <day@time>', 'weekday and local time of a weekly digest, such as 5@18:00')
    .option('--zone <zone>', "IANA; default: the publication's")
    .option('--alerts', 'may send alerts')
    .option('--sections <slugs>', 'separated by commas; default: every article of the language')
    .option('--approval <rule>', 'none, one or four-eyes')
    .action(
      answer(async ({ services }, slug: string, options: CreateOptions) => {
        const { name, language, daily, weekly, alerts, sections, approval } = options
        const zone = options.zone ?? (await services.publication.get()).zone
        const cadences: NonNullable<NewsletterInput['cadences']> = []
        if (daily) cadences.push({ cadence: 'daily', time: daily, zone })
        if (weekly) cadences.push({ cadence: 'weekly', ...readWeekly(weekly), zone })
        if (alerts) cadences.push({ cadence: 'alert' })
        const input = {
          slug,
          name,
          language,
          cadences,
          ...(sections && { sections: sections.split(',') }),
          ...(approval && { approval }),
        }
        const created = services.newsletters.toShape(await services.newsletters.create(input, cliActor))
        return [created, [`${created.slug}: ${created.url}`]]
      }),
    )
  withJson(newsletter, 'list').action(
    answer(async ({ services }) => {
      const newsletters = await services.newsletters.listWithReaders()
      const rows = newsletters.map((item) => [
        item.slug,
        item.language,
        [
          ...item.schedules.map((schedule) => `${scheduleInWords('en', schedule)} (${schedule.zone})`),
          ...(findCadence(item, 'alert') ? ['alerts'] : []),
        ].join('; '),
        String(item.readers),
        item.name,
      ])
      return [
        newsletters.map(({ readers: _r, ...item }) => services.newsletters.toShape(item)),
        toTable(rows),
      ]
    }),
  )
}
