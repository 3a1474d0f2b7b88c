import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { UsageError } from './failure.ts'
import type { Context } from '../context.ts'
import { decodeCursor, byId } from '../domain/cursor.ts'
import { deliveryStates, keptReason, type DoubtDecision } from '../domain/delivery/delivery.ts'
import type { StrayQuote } from '../domain/digests/digest-variant.ts'
import { cadences, type Cadence } from '../domain/newsletter.ts'
import type { DeliveryLineShape, Progress } from '../services/digests/progress.ts'
import type { DigestShape } from '../services/digests/shape.ts'
import { answer, cliActor, withContext, withJson, type JsonOption } from './command.ts'
import { printResult, tellOfNoWorker, toTable, toTime, watch } from './output.ts'

interface ComposeOptions extends JsonOption {
  cadence?: string
  article?: string[]
  subject?: string
}

interface PreviewOptions {
  variant?: string
  format?: string
}

const listOf = (value: string, before: string[] = []): string[] => [...before, value]

const shownBy = { digest: 'status', subscriber: 'uncertain' }

function readId(text: string, what: keyof typeof shownBy = 'digest'): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(
    `${text} is no ${what}: give its number, as \`depeche digest ${shownBy[what]}\` shows it.`,
  )
}

function oneOf<Value extends string>(option: string, known: readonly Value[], value: string): Value {
  const found = known.find((item) => item === value)
  if (found !== undefined) return found
  throw new UsageError(`${option} is one of ${known.join(', ')}.`)
}

export function digestCommand(program: Command): void {
  const digest = program.command('digest').description('one sending of one newsletter')
  addComposing(digest)
  addSending(digest)
  addSpreading(digest)
  addDeciding(digest)
}

function addComposing(digest: Command): void {
  withJson(digest, 'compose <newsletter>', 'compose a digest now, beside the scheduled ones')
    .option('--cadence <cadence>', 'daily, weekly or alert')
    .option('--article <externalId>', 'an explicit choice; repeat it for several', listOf)
    .option('--subject <text>')
    .action(async (newsletter: string, { cadence, article, subject, json }: ComposeOptions) => {
      const wanted: Cadence | undefined =
        cadence === undefined ? undefined : oneOf('--cadence', cadences, cadence)
      const composed = await withContext(({ services }) =>
        services.digests.compose(newsletter, { cadence: wanted, articles: article, subject }, cliActor),
      )
      printResult({ json }, composed, toLines(composed))
    })
  digest
    .command('preview <id>')
    .description('print the bytes that will go')
    .option('--variant <id>', 'one of `variants`; default: what most readers get')
    .option('--format <format>', 'html, text or mime', 'text')
    .action(async (id: string, { variant, format = 'text' }: PreviewOptions) => {
      const wanted = { variant, format: oneOf('--format', ['html', 'text', 'mime'], format) }
      const preview = await withContext(async ({ services }) => {
        tellTime(await services.digests.get(readId(id)))
        return services.digestPreview.get(readId(id), wanted)
      })
      process.stdout.write(preview.body)
      for (const quote of preview.strayQuotes) process.stderr.write(`${toWarning(quote)}\n`)
    })
  withJson(digest, 'status [id]', 'one digest, or the latest of all').action(
    answer(async ({ services }, id: string | undefined) => {
      if (id !== undefined) return told(await services.digests.get(readId(id)))
      const { data } = await services.digests.list({}, { limit: 20, after: undefined })
      const rows = data.map((item) => [String(item.id), item.newsletter, item.state, item.subject ?? ''])
      return [data, toTable(rows)]
    }),
  )
}

function addSending(digest: Command): void {
  withJson(digest, 'send <id>', 'send a digest now, and watch until it has ended')
    .option('--no-wait', 'return as soon as it is handed to the workers')
    .option('--spread', 'over days, the newest readers first')
    .option('--no-spread', 'to all at once, whatever was answered before')
    .action(
      answer(async (context, id: string, { wait, spread }: { wait: boolean; spread?: boolean }) => {
        const shape = await context.services.digests.get(readId(id))
        const { version, audience } = shape
        tellTime(shape)
        const asked = { actor: cliActor, version: () => version, idempotencyKey: randomUUID() }
        const request = { ...asked, body: { spread }, spread }
        const { body } = await context.services.digestTransitions.send(readId(id), request)
        const hasWorker = await tellAboutWorkers(context)
        if (!wait || !hasWorker || (spread ?? shape.spread?.chosen))
          return [body, [`Digest ${id} is on its way to ${audience} readers.`]]
        const ended = await watchDigest(context, readId(id))
        return [ended, toCounts(ended)]
      }),
    )
  for (const name of ['pause', 'cancel'] as const) {
    withJson(digest, `${name} <id>`).action(
      answer(async ({ services }, id: string) => {
        await services.digestTransitions[name](readId(id), cliActor)
        const { state, audience, sent, unsent } = await services.digestProgress.get(readId(id))
        const numbers = audience === null ? '' : ` ${sent} of ${audience} sent, ${unsent} not.`
        return [{ id: readId(id), state, sent, unsent }, [`Digest ${id} is ${state}.${numbers}`]]
      }),
    )
  }
  withJson(digest, 'resume <id>')
    .option('--extend', 'send for 24 hours from now, also where its time is over')
    .action(
      answer(async (context, id: string, { extend }: { extend?: boolean }) => {
        const { state } = await context.services.digestTransitions.resume(readId(id), cliActor, { extend })
        await tellAboutWorkers(context)
        return [{ id: readId(id), state }, [`Digest ${id} is ${state}.`]]
      }),
    )
}

function addSpreading(digest: Command): void {
  withJson(
    digest,
    'spread <id> <answer>',
    'yes: over days, the newest readers first; no: to all at once, and the rest of one that is spread now',
  ).action(
    answer(async ({ services }, id: string, wanted: string) => {
      const isWanted = oneOf('The answer', ['yes', 'no'], wanted) === 'yes'
      await services.digestTransitions.spread(readId(id), isWanted, cliActor)
      return told(await services.digests.get(readId(id)))
    }),
  )
}

interface DecideOptions {
  resend?: boolean
  leave?: boolean
  subscriber?: string[]
  all?: boolean
}

function addDeciding(digest: Command): void {
  withJson(digest, 'uncertain <id>', 'readers who may or may not have got it: list them, or decide')
    .option('--resend', 'send once more; they may then have it twice')
    .option('--leave', 'leave them as they are, for good')
    .option('--subscriber <id>', 'decide about this one; repeat it for several', listOf)
    .option('--all', 'decide about all of them')
    .action(
      answer(async (context, id: string, options: DecideOptions) => {
        const decision = readDecision(options)
        const subscribers = options.subscriber?.map((subscriber) => readId(subscriber, 'subscriber'))
        if (!decision) return listUncertain(context, readId(id))
        const request = { actor: cliActor, idempotencyKey: randomUUID(), decision, subscribers }
        const { body } = await context.services.doubts.decide(readId(id), request)
        if (decision === 'resend') await tellAboutWorkers(context)
        const { decided, undecided } = body as { decided: number; undecided: number }
        return [body, [`decided ${decided}, still in doubt ${undecided}`]]
      }),
    )
}

function readDecision({ resend, leave, subscriber, all }: DecideOptions): DoubtDecision | undefined {
  if (!resend && !leave) return undefined
  if (resend && leave) throw new UsageError('Either --resend or --leave.')
  if (!subscriber === !all) throw new UsageError('Say about whom: --subscriber for each, or --all.')
  return resend ? 'resend' : 'leave'
}

async function listUncertain({ services }: Context, id: number) {
  const lines: DeliveryLineShape[] = []
  for (let next: string | null | undefined; next !== null;) {
    const after = next === undefined ? undefined : decodeCursor(next, byId)
    const page = await services.digestProgress.listDeliveries(id, 'uncertain', { limit: 200, after })
    lines.push(...page.data.filter((line) => line.reason !== keptReason))
    next = page.next
  }
  const rows = lines.map((line) => [
    String(line.subscriber),
    line.email ?? '',
    line.reason ?? '',
    line.smtpAnswer ?? '',
  ])
  return [lines, toTable(rows)] as const
}

async function tellAboutWorkers({ database }: Context): Promise<boolean> {
  const hasWorker = (await database.stores.workers.countAlive()) > 0
  if (!hasWorker) tellOfNoWorker('nothing goes out')
  if (await database.stores.instanceGuard.isHeld()) {
    process.stderr.write('This database is a copy: nothing goes out until `depeche restore confirm`.\n')
  }
  return hasWorker
}

const watchDigest = ({ services }: Context, id: number): Promise<Progress> =>
  watch(
    `Digest ${id}`,
    () => services.digestProgress.get(id),
    ({ done, audience, state, isFinal }) => ({
      shown: [done, audience ?? undefined, state],
      isOver: isFinal || state === 'paused',
    }),
  )

type Counted = Pick<
  Progress,
  'state' | 'reason' | 'audience' | 'counts' | 'sent' | 'unsent' | 'relayAnswer' | 'retryAt'
>

const toCounts = ({
  state,
  reason,
  audience,
  counts,
  sent,
  unsent,
  relayAnswer,
  retryAt,
}: Counted): string[] => [
  `state     ${state}${reason === null ? '' : `: ${reason.replaceAll('_', ' ')}`}`,
  ...(relayAnswer === null ? [] : [`relay     takes nothing of it: ${relayAnswer}`]),
  ...(retryAt === null ? [] : [`again     at ${toTime(retryAt)}, by itself`]),
  `audience  ${audience ?? 0}: ${sent} sent, ${unsent} not`,
  ...deliveryStates.filter((name) => counts[name] > 0).map((name) => `  ${name.padEnd(10)}${counts[name]}`),
]

const toWarning = ({ text, title, readers }: Pick<StrayQuote, 'text' | 'title' | 'readers'>): string =>
  `The ${text} quotes “${title}”, which ${readers === 1 ? '1 reader does' : `${readers} readers do`} not get.`

function toSendingTime({ sendingTime }: Pick<DigestShape, 'sendingTime'>): string[] {
  if (!sendingTime) return []
  const { rate, seconds, ahead, fits } = sendingTime
  const time = seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
  const before = ahead > 0 ? `, with what waits already (${ahead})` : ''
  const end = fits ? '' : ': longer than it lasts; whoever still waits at its end does not get it'
  return [`takes     about ${time} ${rate ? `at ${rate}` : 'as the last ones did'}${before}${end}`]
}

/** What the desk asks before it sends. */
function toSpread({ spread }: Pick<DigestShape, 'spread'>): string[] {
  if (!spread) return []
  const { domain, sentLately, chosen, running, held, days } = spread
  const plan = days.map(({ at, readers }) => `${toTime(at)}: ${readers}`).join(', ')
  if (running) return [`spread    ${held ? `held for ${held}; ` : ''}next ${plan}`]
  const answer = chosen === null ? '--spread or --no-spread' : chosen ? 'yes' : 'no'
  return [`spread    ${answer}; ${domain} sent ${sentLately} digests in 30 days. Over days: ${plan}`]
}

const tellTime = (digest: DigestShape): void => {
  for (const line of [...toSendingTime(digest), ...toSpread(digest)]) process.stderr.write(`${line}\n`)
}

const told = (digest: DigestShape) => [digest, toLines(digest)] as const

const toLines = (digest: DigestShape): string[] => [
  `digest    ${digest.id} of ${digest.newsletter}, ${digest.cadence ?? digest.kind}`,
  ...toCounts(digest),
  ...(digest.startedAt ? [`began     ${toTime(digest.startedAt)}`] : []),
  ...(digest.completedAt ? [`ended     ${toTime(digest.completedAt)}`] : []),
  ...toSendingTime(digest),
  ...toSpread(digest),
  `subject   ${digest.subject ?? ''}`,
  `hash      ${digest.contentHash ?? ''}`,
  ...digest.articles.map((article, n) => `  ${n + 1}. ${article.title} (${readersOf(article)})`),
  ...digest.variants.map(
    (variant) => `variant   ${variant.id} for ${variant.readers}: ${variant.articles.length} articles`,
  ),
  ...digest.strayQuotes.map(toWarning),
]

const readersOf = ({ readers, inDoubt, withdrawnAt }: DigestShape['articles'][number]): string =>
  withdrawnAt === null ? String(readers) : `withdrawn; ${readers} have it, ${inDoubt} may have it`
