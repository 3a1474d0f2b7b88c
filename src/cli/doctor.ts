import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { DomainError } from '../errors.ts'
import { checkRecords, listRecords, type MailIdentity } from '../mail/dns-records.ts'
import { createSenders } from '../mail/senders.ts'
import { readSmtpUrl } from '../mail/smtp-url.ts'
import { withContext } from './command.ts'
import { checkDatabase, checkDisk, checkLinks, checkRedis, checkRelay } from './doctor-checks.ts'
import { printResult, toTable } from './output.ts'

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check what mail needs: DNS, the relay, the clock, Redis, disk; print the DNS records to publish',
    )
    .option('--json', 'for programs')
    .action((options: { json?: boolean }) =>
      withContext(async (context) => {
        const identity = identityOf(context)
        const findings = [
          ...(await checkRecords(identity)),
          checkLinks(context),
          await checkRelay(context),
          ...(await checkDatabase(context)),
          await checkRedis(context),
          await checkDisk(context),
        ]
        const records = listRecords(identity)
        printResult(options, { findings, records }, [
          ...toTable(findings.map(({ name, isGood, sentence }) => [isGood ? 'ok' : 'no', name, sentence])),
          '',
          'Records to publish:',
          ...records.map(
            ({ type, name, value }) => `${name}. IN ${type} ${type === 'TXT' ? quote(value) : value}`,
          ),
        ])
        if (findings.some(({ isGood }) => !isGood)) {
          throw new DomainError('conflict', 'doctor_findings', 'Mail is not ready: see what says "no" above.')
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
  }
}

/** A TXT string holds 255 bytes; a longer value is several strings in one record. */
const quote = (value: string): string =>
  (value.match(/.{1,255}/g) ?? []).map((chunk) => `"${chunk}"`).join(' ')
