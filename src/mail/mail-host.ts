import { Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { dayMs, hourMs } from '../domain/time.ts'

/** Whether a domain can be mailed at all, as the DNS tells it. */
export type MailHost = 'found' | 'none' | 'unknown'

const keptMs = { found: dayMs, none: hourMs, unknown: 60_000 } as const
const mostKept = 1_000
/** A person waits for the page. */
const patienceMs = 2_000
/** RFC 2606 and 6761: nobody's, so that nobody is asked. */
const reserved = /(?:^|\.)(?:example|test|invalid|localhost|example\.(?:com|net|org))$/

/**
 * Asks for the hosts that take a domain's mail: MX, else the domain itself (RFC 5321, 5.1); a null MX takes none
 * (RFC 7505). An advice to people only: DNS fails for a moment too often to withhold a mail for it.
 * @param resolver has a limit of its own, for a question that nobody waits for any more keeps a command from ending
 */
export function createMailHostLookup(resolver = new Resolver({ timeout: 1_000, tries: 2 })) {
  const kept = new LRUCache<string, MailHost>({ max: mostKept })

  return async (domain: string): Promise<MailHost> => {
    const known = kept.get(domain)
    if (known) return known
    const host = reserved.test(domain) ? 'unknown' : await inTime(ask(resolver, domain))
    kept.set(domain, host, { ttl: keptMs[host] })
    return host
  }
}

const inTime = (host: Promise<MailHost>): Promise<MailHost> =>
  Promise.race([host, sleep(patienceMs, 'unknown' as const, { ref: false })])

async function ask(resolver: Resolver, domain: string): Promise<MailHost> {
  try {
    const exchanges = await orNothing(resolver.resolveMx(domain))
    if (exchanges.length > 0) return exchanges.some(({ exchange }) => exchange !== '') ? 'found' : 'none'
    const addresses = await Promise.all([
      orNothing(resolver.resolve4(domain)),
      orNothing(resolver.resolve6(domain)),
    ])
    return addresses.flat().length > 0 ? 'found' : 'none'
  } catch {
    return 'unknown'
  }
}

/** That a name or a record does not exist is an answer. */
export const orNothing = <T>(answer: Promise<T[]>): Promise<T[]> =>
  answer.catch((error: unknown) => {
    if (['ENOTFOUND', 'ENODATA'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  })
