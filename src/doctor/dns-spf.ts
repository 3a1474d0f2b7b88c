import type { Resolver } from 'node:dns/promises'
import { isLoopback } from '../domain/loopback.ts'
import { isTranslated, relayTerms, type Relay } from './dns-hosts.ts'
import { envelopeOf, type Checked, type MailIdentity } from './dns-identity.ts'
import { look, no, ok, type Finding } from './finding.ts'
import { orNothing } from '../mail/mail-host.ts'

/** An address that is nobody's (RFC 1112, class E): it matches no term, so that all of a record is read. */
const stranger = '240.0.0.1'

/** RFC 7208 for the domain of the return path: one sound record that lets the relay send and strangers not. */
export async function checkSpf(
  identity: MailIdentity,
  finding: Promise<Relay | undefined>,
  dns: Resolver,
): Promise<Checked> {
  const name = envelopeOf(identity)
  const texts = (await orNothing(dns.resolveTxt(name))).map((chunks) => chunks.join(''))
  const [record, ...others] = texts.filter((text) => /^v=spf1(\s|$)/i.test(text))
  const relay = await finding
  const fault = (sentence: string) => [no('SPF', `${name} ${sentence}`)]
  const withheld = { type: 'TXT', name } as const
  if (record === undefined) {
    return relay?.isOurs === false
      ? { findings: fault(`is not published; add it with the include that ${relay.host} asks for`), withheld }
      : { findings: fault('is not published; add it') }
  }
  if (others.length > 0) {
    return { findings: fault('is published more than once; keep one, with the terms of all'), withheld }
  }
  const anyone = await evaluate(name, stranger, dns)
  if (anyone.result === 'permerror') return { findings: fault(`${explain(anyone)}: ${record}`), withheld }
  const results = new Map<string, string>()
  for (const address of relay?.addresses ?? []) {
    results.set(address, (await evaluate(name, address, dns)).result)
  }
  const refused = [...results.keys()].filter((address) => results.get(address) !== 'pass')
  const isMissing = relay?.isOurs === true && refused.length > 0
  return {
    findings: [judgeStranger(name, record, anyone) ?? judgeRelay(identity, record, { relay, refused })],
    record: { ...withheld, value: mend(record, isMissing ? relayTerms(identity, relay) : []) },
  }
}

/** Why receivers give up on a record. */
function explain({ reason }: Evaluation): string {
  if (/too many dns requests/i.test(reason)) {
    return 'needs more than ten lookups, where receivers give up; take out includes that you do not use'
  }
  return /void/i.test(reason)
    ? 'names more than two hosts that do not exist; take them out'
    : `cannot be read (${reason}); put it right`
}

/** What is wrong with a record whoever sends. */
function judgeStranger(name: string, record: string, { result }: Evaluation): Finding | undefined {
  if (result === 'fail' || result === 'softfail') return undefined
  const sentence =
    result === 'pass' ? 'lets anyone send in your name; end it with -all' : 'must end in -all or ~all'
  return no('SPF', `${name} ${sentence}: ${record}`)
}

function judgeRelay(
  identity: MailIdentity,
  record: string,
  { relay, refused }: { relay: Relay | undefined; refused: string[] },
): Finding {
  const name = envelopeOf(identity)
  if (!relay) return look('SPF', `${name} is sound; set SMTP_URL to see whether it lets your relay send`)
  const { host, addresses, isOurs } = relay
  const allowed = addresses.filter((address) => !refused.includes(address))
  if (!isOurs) {
    const about = allowed.length > 0 ? 'lets' : 'does not let'
    return look(
      'SPF',
      `${name} ${about} ${host} send, but where that sends on from is its provider's to say; compare the include it asks for: ${record}`,
    )
  }
  if (refused.length > 0 && allowed.length > 0 && isLoopback(host)) {
    const sentence = `lets ${allowed.join(', ')} send, not ${refused.join(', ')}; publish it as below if mail leaves from there`
    return look('SPF', `${name} ${sentence}: ${record}`)
  }
  if (refused.length > 0) {
    return no('SPF', `${name} does not let ${refused.join(', ')} send; publish it as below: ${record}`)
  }
  return addresses.length > 0 && !isTranslated(identity)
    ? ok('SPF', `${name} lets ${addresses.join(', ')} send: ${record}`)
    : look('SPF', `${name} is sound; see that it names the address that mail leaves from: ${record}`)
}

interface Evaluation {
  result: string
  reason: string
}

async function evaluate(name: string, ip: string, dns: Resolver): Promise<Evaluation> {
  // Loaded late: it takes a quarter of a second, and most commands never need it.
  const { spf } = await import('mailauth/lib/spf/index.js')
  const resolver = (domain: string, type: string) => dns.resolve(domain, type) as Promise<string[]>
  const { status } = await spf({ ip, sender: `postmaster@${name}`, helo: name, resolver, strict: true })
  const reason = /^[^:]*: (?:permanent )?error in processing during lookup of \S+: (.*)$/.exec(
    status.comment ?? '',
  )?.[1]
  if (status.result === 'temperror') throw new Error(reason ?? status.result)
  return { result: status.result, reason: reason ?? '' }
}

/** The record with these terms, and an end that keeps strangers out. */
function mend(record: string, missing: string[]): string {
  const terms = record.trim().split(/\s+/).slice(1)
  const isEnd = (term: string) => /^[-+~?]?all$/i.test(term)
  const end = terms.find((term) => /^[-~]all$/i.test(term))
  const isElsewhere = terms.some((term) => /^redirect=/i.test(term)) && !terms.some(isEnd)
  return [
    'v=spf1',
    ...missing.filter((term) => !terms.includes(term)),
    ...terms.filter((term) => !isEnd(term)),
    ...(isElsewhere ? [] : [end ?? '-all']),
  ].join(' ')
}
