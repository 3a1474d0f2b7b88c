import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import type { SubscriberService } from '../services/subscribers/subscribers.ts'
import { answer, cliActor, withContext, withJson } from './command.ts'
import { toTable, toTime as time } from './output.ts'
import { importFile } from './subscriber-import.ts'

export function subscriberCommand(program: Command): void {
  const subscriber = program.command('subscriber').description('people who receive newsletters')
  subscriber
    .command('import')
    .argument(
      '<file>',
      'CSV of a spreadsheet or another newsletter service; a column of addresses is required',
    )
    .description('bring subscribers in; each gets an activation mail unless a basis of consent is stated')
    .option('--dry-run', 'report what would happen, change nothing')
    .option('--consent-basis <words>', 'how they consented; they are active at once and this is recorded')
    .option('--no-wait', 'return as soon as it is handed to the workers')
    .option('--json', 'print the report for programs')
    .action(importFile)
  subscriber
    .command('export')
    .argument('[file]', 'where to; stdout without it')
    .description('every subscription as CSV')
    .action(async (file: string | undefined) => {
      await withContext(async ({ services }) => {
        const target = file === undefined ? process.stdout : createWriteStream(file, { mode: 0o600 })
        await pipeline(Readable.from(services.subscribers.export(cliActor)), target, {
          end: file !== undefined,
        })
      })
    })
  withJson(subscriber, 'explain <address>', 'why this person gets what they get, or nothing').action(
    answer(async ({ services: { subscribers } }, address: string) => {
      const found = await subscribers.explain(await subscribers.getIdByAddress(address))
      return [found, toLines(found)]
    }),
  )
}

const mailHostWords = {
  found: 'takes mail',
  none: 'takes no mail, as the DNS tells it; is the address mistyped?',
  unknown: 'the DNS does not tell whether it takes mail',
}

type Explained = Awaited<ReturnType<SubscriberService['explain']>>

function toLines({ subscriber, suppression, mailHost, ...lists }: Explained) {
  const table = (title: string, rows: string[][]) => (rows.length > 0 ? ['', title, ...toTable(rows)] : [])
  return [
    `Subscriber ${subscriber.id}, ${subscriber.language}, since ${time(subscriber.createdAt)}`,
    ...(suppression ? [`Suppressed since ${time(suppression.createdAt)}: ${suppression.reason}`] : []),
    ...(mailHost ? [`${mailHost.domain}: ${mailHostWords[mailHost.host]}`] : []),
    ...table(
      'Subscriptions',
      lists.subscriptions.map((one) => [
        one.newsletter,
        one.endedReason ? `ended (${one.endedReason})` : one.state,
        one.cadence + (one.alerts ? ' and alerts' : ''),
        one.sections.join(' ') || 'all sections',
        one.pausedUntil ? `paused until ${time(one.pausedUntil)}` : '',
      ]),
    ),
    ...table(
      'Requests',
      lists.requests.map((one) => [
        time(one.createdAt),
        one.kind,
        one.form,
        one.decision ?? 'waiting',
        time(one.activatedAt),
      ]),
    ),
    ...table(
      'Personal mails',
      lists.mails.map((one) => [
        time(one.acceptedAt ?? one.createdAt),
        one.kind,
        one.state,
        one.reason ?? '',
      ]),
    ),
    ...table(
      'Digests',
      lists.deliveries.map((one) => [
        String(one.digest),
        one.newsletter,
        one.state,
        one.reason ?? '',
        time(one.acceptedAt ?? one.startedAt),
      ]),
    ),
    ...table(
      'Consent',
      lists.consents.map((one) => [
        time(one.at),
        one.event,
        one.newsletter ?? '',
        one.method ?? one.reason ?? '',
        one.givenAt ? `given ${time(one.givenAt)}` : '',
        [one.basis, one.source].filter(Boolean).join(' · '),
      ]),
    ),
  ]
}
