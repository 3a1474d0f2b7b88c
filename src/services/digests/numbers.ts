import type { DigestNumbers } from '../../store/digests/digest-numbers.ts'
import type { Parts } from '../parts.ts'

export type DigestNumbersService = ReturnType<typeof createDigestNumbersService>

const freshMs = 5_000
/** Counting a large digest takes its time: it may cost this part of one connection. */
const workShare = 0.05

/** Digests as monitoring sees them. */
export function createDigestNumbersService({ database }: Pick<Parts, 'database'>) {
  let latest: { numbers: Promise<DigestNumbers | undefined>; until: number } | undefined

  const count = async (): Promise<DigestNumbers | undefined> => {
    const startedAt = performance.now()
    const numbers = await database.stores.digestNumbers.get().catch(() => undefined)
    const now = performance.now()
    if (latest) latest.until = now + Math.max(freshMs, (now - startedAt) / workShare)
    return numbers
  }

  return {
    /** A few seconds old. Never rejects: undefined while PostgreSQL does not answer. */
    get(): Promise<DigestNumbers | undefined> {
      if (!latest || latest.until < performance.now()) latest = { numbers: count(), until: Infinity }
      return latest.numbers
    },
  }
}
