import { Option, type Command } from 'commander'
import { UsageError } from './failure.ts'
import type { Context } from '../context.ts'
import { feedTexts, links, type FeedText, type Links } from '../domain/publication.ts'
import type { SourceInput } from '../services/sources/input.ts'
import type { SourceView } from '../services/sources/sources.ts'
import { toPreview, toShape } from '../services/sources/shape.ts'
import { answer, cliActor, withContext, withJson, type JsonOption } from './command.ts'
import { printResult, toTable, toTime } from './output.ts'

interface Options extends JsonOption {
  language?: string
  since?: string
  feed?: boolean
  links?: Links
  text?: FeedText
}

/** A first look reads everything; each takes some seconds. */
const mostLooks = 1_000

export function sourceCommand(program: Command): void {
  const source = program.command('source').description('sites whose articles arrive by themselves')
  withJson(source, 'check <address>', 'what is at an address, and five of its articles as they would be here')
    .option('--feed', 'its feed, also where there is more to follow')
    .action(
      answer(async ({ services }, address: string, { feed }: Options) => {
        const found = toPreview(await services.sources.preview(address, feed ? { kind: 'feed' } : {}))
        const rows = found.articles.map((one) => [
          toTime(one.publishedAt),
          one.reason ? `skipped: ${one.reason}` : `${one.language ?? ''} ${one.sections.join(',')}`,
          one.title,
        ])
        return [found, [`${found.name}: ${found.kind}, ${found.url}`, ...toTable(rows)]]
      }),
    )

  withJson(source, 'add <address>', 'follow a site, by the address of its home or of its feed')
    .option('--language <tag>', 'of all that it brings; else each article says its own')
    .option('--since <date>', 'such as 2026-01-31: nothing that the site dates earlier is taken')
    .option('--feed', 'follow its feed, also where there is more to follow')
    .addOption(new Option('--links <where>', 'where links lead, if not as elsewhere').choices(links))
    .addOption(new Option('--text <much>', 'in feeds and mails, if not as elsewhere').choices(feedTexts))
    .action(async (address: string, options: Options) => {
      const input = toInput(address, options)
      const added = await withContext(({ services }) => services.sources.add(input, cliActor))
      const lines = [...toLines(added), `its Update Services address: ${added.pingUrl}`]
      printResult(options, { ...toShape(added), pingUrl: added.pingUrl }, lines)
    })

  withJson(source, 'list', 'how each of them is').action(
    answer(async ({ services }) => {
      const sources = await services.sources.list()
      const rows = sources.map((one) => [String(one.id), one.state, toTime(one.lookedAt), one.name, one.home])
      return [sources.map(toShape), toTable(rows)]
    }),
  )

  withJson(source, 'sync <id>', 'look now, and read all that there is to read').action(
    answer(async (context, id: string) => told(await readAll(context, toId(id)))),
  )

  for (const [name, description] of [
    ['pause', 'look no more, until it is resumed'],
    ['resume', 'look again'],
  ] as const) {
    withJson(source, `${name} <id>`, description).action(
      answer(async ({ services }, id: string) => told(await services.sources[name](toId(id), cliActor))),
    )
  }

  withJson(source, 'remove <id>', 'follow it no more; its articles stay').action(
    answer(async ({ services }, id: string) => {
      await services.sources.remove(toId(id), cliActor)
      return [{ removed: toId(id) }, [`${id} is followed no more`]]
    }),
  )

  withJson(source, 'ping-url <id>', 'what WordPress takes under Settings, Writing, Update Services').action(
    answer(async ({ services }, id: string) => {
      const { pingUrl } = await services.sources.get(toId(id))
      return [{ pingUrl }, [pingUrl]]
    }),
  )
}

/** Here and now: no worker need run. */
async function readAll({ services }: Context, id: number): Promise<SourceView> {
  let source = await services.sources.sync(id, cliActor)
  for (let n = 0; n < mostLooks; n += 1) {
    await services.sourceSync.work(id)
    source = await services.sources.get(id)
    if (source.state !== 'catching-up') break
  }
  return source
}

/** @throws UsageError */
function toId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError('Name a source by its number: `depeche source list` shows them.')
}

/** @throws UsageError */
function toInput(address: string, { language, since, feed, links: where, text }: Options): SourceInput {
  const from = since === undefined ? undefined : new Date(since)
  if (from && Number.isNaN(from.getTime())) throw new UsageError('--since takes a date, such as 2026-01-31.')
  return {
    address,
    language,
    since: from?.toISOString(),
    links: where,
    feedText: text,
    ...(feed && { kind: 'feed' }),
  }
}

const told = (source: SourceView) => [toShape(source), toLines(source)] as const

function toLines(source: SourceView): string[] {
  const { id, name, url, counts, sentence, state } = toShape(source)
  const { here, skipped, held, missing, withdrawn } = counts
  return [
    `${id} ${name}: ${state} (${url})`,
    sentence,
    `${here} articles here, ${skipped} skipped, ${held} corrected here, ${missing} missing there, ${withdrawn} withdrawn`,
  ]
}
