import { statfs } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { DomainError } from '../errors.ts'
import { checkRecords, listRecords, type Finding, type MailIdentity } from '../mail/dns-records.ts'
import { createSenders } from '../mail/senders.ts'
import { readSmtpUrl } from '../mail/smtp-url.ts'
import { withContext } from './command.ts'
import { printResult, toTable } from './output.ts'

const leastFreeBytes = 1_000_000_000
const openTimeoutMs = 10_000

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check what mail needs: SPF, DKIM, DMARC, PTR, MX, the relay; print the DNS records to publish',
    )
    .option('--json', 'for programs')
    .action((options: { json?: boolean }) =>
      withContext(async (context) => {
        const identity = identityOf(context)
        const findings = [
          ...(await checkRecords(identity)),
          await checkRelay(context),
          await checkPostgres(context),
          await checkHold(context),
          await checkKeys(context),
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

/** Opens a conversation as sending does, with its rules of encryption and sign-in, and sends nothing. */
async function checkRelay({ config: { smtpUrl } }: Context): Promise<Finding> {
  if (smtpUrl === undefined) {
    return { name: 'relay', isGood: false, sentence: 'SMTP_URL is not set; mail goes to the mail catcher' }
  }
  const { tls } = readSmtpUrl(smtpUrl)
  const { createTransport } = await import('../mail/transport.ts')
  const transport = createTransport({ smtpUrl, connections: 1, limits: { openMs: openTimeoutMs } })
  try {
    const hasSmtpUtf8 = await transport.hasSmtpUtf8()
    const utf8 = hasSmtpUtf8 ? 'takes' : 'does not take'
    return { name: 'relay', isGood: true, sentence: `answers (TLS ${tls}), ${utf8} international addresses` }
  } catch (error) {
    return { name: 'relay', isGood: false, sentence: `does not answer: ${String(error)}` }
  } finally {
    await transport.close()
  }
}

async function checkPostgres({ services }: Context): Promise<Finding> {
  await services.publication.get()
  return { name: 'database', isGood: true, sentence: 'answers' }
}

async function checkHold({ services }: Context): Promise<Finding> {
  const hold = await services.restoring.findHold()
  const sentence = hold
    ? 'this database is a copy: all mail is held until `npx depeche restore confirm`'
    : 'nothing is held'
  return { name: 'restored', isGood: !hold, sentence }
}

async function checkKeys({ services }: Context): Promise<Finding> {
  const lost = await services.suppressions.countLost()
  const sentence =
    lost > 0
      ? `${lost} suppressions match nobody any more: put the key they were hashed under back into SECRET_KEY`
      : 'every suppression is of a key in SECRET_KEY'
  return { name: 'keys', isGood: lost === 0, sentence }
}

async function checkDisk({ config }: Context): Promise<Finding> {
  const { bavail, bsize } = await statfs(config.dataDir).catch(() => statfs('.'))
  const free = bavail * bsize
  const sentence = `${Math.round(free / 1e9)} GB free`
  return { name: 'disk', isGood: free >= leastFreeBytes, sentence }
}

/** A TXT string holds 255 bytes; a longer value is several strings in one record. */
const quote = (value: string): string =>
  (value.match(/.{1,255}/g) ?? []).map((chunk) => `"${chunk}"`).join(' ')
