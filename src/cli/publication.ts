import type { Command } from 'commander'
import { isLanguageTag } from '../domain/language.ts'
import { UsageError } from './failure.ts'
import { textFields, type FeedText, type Links, type Publication } from '../domain/publication.ts'
import { answer, cliActor, withContext, withJson, type JsonOption } from './command.ts'
import { printResult, toTable } from './output.ts'

interface SetOptions extends JsonOption {
  name?: string
  description?: string
  languages?: string
  language?: string
  zone?: string
  deskName?: string
  postalAddress?: string
  contactEmail?: string
  links?: Links
  feedText?: FeedText | 'auto'
  responses?: Publication['responses']
  trackbacks?: Publication['trackbacks']
}

export function publicationCommand(program: Command): void {
  const publication = program.command('publication').description('the newsroom this installation serves')
  withJson(publication, 'show').action(
    answer(async ({ services }) => {
      const current = await services.publication.get()
      return [current, toLines(current)]
    }),
  )
  withJson(publication, 'set', 'change what is given, keep the rest')
    .option('--name <name>')
    .option('--description <text>')
    .option('--languages <tags>', 'BCP 47, separated by commas; the first is the default')
    .option('--language <tag>', 'that of the texts given; without it they are for all')
    .option('--zone <zone>', 'IANA, such as Africa/Algiers')
    .option('--desk-name <name>', 'byline of articles without author')
    .option('--postal-address <text>', 'stands at the foot of every newsletter; without it none is sent')
    .option('--contact-email <address>')
    .option('--links <where>', "here, or canonical: articles' links lead to the newsroom's own pages")
    .option('--feed-text <how much>', 'full, summary, or auto: a summary where links lead home')
    .option('--responses <off or on>', 'readers may respond under open articles')
    .option('--trackbacks <off or on>', 'other sites may tell that they link to open articles')
    .action(async ({ json, languages, language, feedText, ...rest }: SetOptions) => {
      if (language !== undefined && !isLanguageTag(language))
        throw new UsageError('`--language` takes a BCP 47 tag such as fr or ar-DZ.')
      const change: Partial<Publication> = {
        ...rest,
        ...(language && textsIn(language, rest)),
        ...(languages && { languages: languages.split(',') }),
        ...(feedText && { feedText: feedText === 'auto' ? null : feedText }),
      }
      if (Object.keys(change).length === 0)
        throw new UsageError('Nothing to change; `--help` lists what can be set.')
      const changed = await withContext(({ services }) => services.publication.set(change, cliActor))
      printResult({ json }, changed, toLines(changed))
    })
}

const toLines = (publication: Publication): string[] =>
  toTable(
    Object.entries(publication).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )

const textsIn = (language: string, given: object): Partial<Publication> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, text]: [string, unknown]) =>
      textFields.some((field) => field === name) ? [[name, { [language]: text }]] : [],
    ),
  )
