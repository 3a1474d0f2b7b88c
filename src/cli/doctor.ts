import { networkInterfaces } from 'node:os'
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import type { Context } from '../context.ts'
import { conflict } from '../errors.ts'
import type { MailIdentity } from '../doctor/dns-identity.ts'
import { checkSenders } from '../doctor/dns-records.ts'
import { look, no, type Finding } from '../doctor/finding.ts'
import { createSenders, findSenderFault, readMailbox } from '../mail/senders.ts'
import { readSmtpUrl } from '../mail/smtp/smtp-url.ts'
import { withContext } from './command.ts'
import {
  checkDatabase,
  checkDisk,
  checkLinks,
  checkRedis,
  checkRelay,
  checkReturns,
  judgeClock,
} from '../doctor/checks.ts'
import { printResult, toTable } from './output.ts'

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check what mail needs: DNS, the relay, returns, the clock, Redis, disk; print the DNS records to publish',
    )
    .option('--json', 'for programs')
    .action((options: { json?: boolean }) =>
      withContext(async (context) => {
        const senders = await readSenders(context)
        const { findings: published, records } = await checkSenders(identityOf(context), senders.addresses)
        const findings = [...senders.findings, ...published, ...(await checkMachines(context))]
        printResult(options, { findings, records }, [
          ...toTable(findings.map(({ verdict, name, sentence }) => [verdict, name, sentence])),
          '',
          'Records to publish:',
          ...records.map(
            ({ type, name, value }) => `${name}. IN ${type} ${type === 'TXT' ? quote(value) : value}`,
          ),
        ])
        if (findings.some(({ verdict }) => verdict === 'no')) {
          throw conflict('doctor_findings', 'Mail is not ready: see what says "no" above.')
        }
      }),
    )
}

function identityOf({ config }: Context): MailIdentity {
  return {
    from: createSenders(config).digest({ name: '' }).address,
    bounceDomain: config.bounceDomain,
    dkim: config.dkim,
    smtpHost: config.smtpUrl === undefined ? undefined : readSmtpUrl(config.smtpUrl).host,
    publicHost: new URL(config.publicUrl).hostname,
    ownAddresses: Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)),
  }
}

/** Of the newsletters that have one of their own. A database that is away is told of by its own check. */
async function readSenders({ services }: Context): Promise<{ addresses: string[]; findings: Finding[] }> {
  const newsletters = await services.newsletters.list().catch(() => [])
  const addresses: string[] = []
  const findings: Finding[] = []
  for (const { slug, from } of newsletters) {
    if (from === null) continue
    if (findSenderFault(from, undefined)) {
      findings.push(
        no('sender', `the newsletter ${slug} comes from what is not one address; change its sender`),
      )
    } else addresses.push(readMailbox(from).address)
  }
  return { addresses, findings }
}

async function checkMachines(context: Context): Promise<Finding[]> {
  const database = await checkDatabase(context)
  const redis = await checkRedis(context)
  return [
    await checkLinks(context),
    await checkRelay(context),
    await checkReturns(context),
    ...database.findings,
    judgeClock([database, redis].flatMap(({ clock }) => clock ?? [])),
    ...redis.findings,
    await checkDisk(readConfig().databaseUrl === undefined ? context.config.dataDir : undefined),
    ...(await checkDoubled(context)),
  ]
}

/** A database that is away is told of by its own check. */
async function checkDoubled({ services }: Context): Promise<Finding[]> {
  const doubled = await services.articles.listDoubled(10).catch(() => [])
  return doubled.map(({ title, externalIds: [one, other] }) =>
    look(
      'doubled',
      `“${title}” stands here twice; if it is one story: depeche article merge ${one} ${other}`,
    ),
  )
}

/** A TXT string holds 255 bytes; a longer value is several strings in one record. */
const quote = (value: string): string =>
  (value.match(/.{1,255}/g) ?? []).map((chunk) => `"${chunk}"`).join(' ')
