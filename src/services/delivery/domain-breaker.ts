/** Refusals in a row that are not one reader's own filter any more. */
const threshold = 3
const restMs = 15 * 60_000

export type DomainBreaker = ReturnType<typeof createDomainBreaker>

/**
 * Domains that refuse us for reasons of reputation or authentication are left alone for a while: every further attempt
 * would make it worse. After the rest one more refusal is enough for the next.
 * @param now milliseconds of a clock that never goes back
 */
export function createDomainBreaker(now: () => number = () => performance.now()) {
  const domains = new Map<string, { refusals: number; restsUntil: number }>()
  return {
    isResting: (domain: string): boolean => (domains.get(domain)?.restsUntil ?? -Infinity) > now(),

    refuse(domain: string): void {
      const refusals = (domains.get(domain)?.refusals ?? 0) + 1
      domains.set(domain, { refusals, restsUntil: refusals < threshold ? -Infinity : now() + restMs })
    },

    accept(domain: string): void {
      domains.delete(domain)
    },
  }
}
