import { networkInterfaces } from 'node:os'
import type { Context } from '../context.ts'
import { createSenders, findSenderFault, readMailbox } from '../mail/senders.ts'
import { readSmtpUrl } from '../mail/smtp/smtp-url.ts'
import {
  checkDatabase,
  checkDisk,
  checkLinks,
  checkRedis,
  checkRelay,
  checkReturns,
  judgeClock,
} from './checks.ts'
import type { MailIdentity } from './dns-identity.ts'
import { checkSenders } from './dns-records.ts'
import { look, no, type Finding } from './finding.ts'

/** All that mail needs, and the DNS records to publish. */
export async function examine(context: Context) {
  const senders = await readSenders(context)
  const { findings: published, records } = await checkSenders(identityOf(context), senders.addresses)
  const findings = [...senders.findings, ...published, ...(await checkMachines(context))]
  return { findings, records }
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
    await checkDisk(context),
    ...(await checkMedia(context)),
    ...(await checkDoubled(context)),
  ]
}

const heavyMediaBytes = 2_000_000_000

/** A database that is away is told of by its own check. */
async function checkMedia({ services }: Context): Promise<Finding[]> {
  const bytes = await services.media.weigh().catch(() => 0)
  const sentence = `take ${(bytes / 1e9).toFixed(1)} GB of the database: see that its disk and its backups have room`
  return bytes > heavyMediaBytes ? [look('pictures', sentence)] : []
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
