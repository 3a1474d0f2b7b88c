import { pageAgeMs, sealPage } from '../../domain/subscribers/subscription-tokens.ts'
import { hourMs } from '../../domain/time.ts'
import { atField, invalid } from '../../errors.ts'
import type { Parts } from '../parts.ts'
import type { SignupInput } from './input.ts'

const formAge = { leastMs: 2_000, mostMs: 2 * hourMs }
const sharedStampMs = 10 * 60_000
const name = 'signup'

/** What tells a person's form from a machine's: a field nobody sees, and when the form was made. */
export function createFormStamp({ keyring, now }: Pick<Parts, 'keyring' | 'now'>) {
  /** In milliseconds; undefined for a stamp that is not ours. */
  const ageOf = (stamp: string) => pageAgeMs(keyring, stamp, { name, now: now() })

  return {
    /** For a hidden field of every form we render: proves that a person had time to read it. */
    formStamp: (): string => sealPage(keyring, name, now()),

    /** The same for pages that caches keep: one for ten minutes, or no two answers would be the same. */
    sharedFormStamp: (): string =>
      sealPage(keyring, name, new Date(Math.floor(now().getTime() / sharedStampMs) * sharedStampMs)),

    /** Whether somebody had time to read a form of ours; for all others the limits are half. */
    hasReadForm: (body: unknown): boolean => {
      const stamp = (body as { stamp?: unknown } | undefined)?.stamp
      return typeof stamp === 'string' && (ageOf(stamp) ?? 0) >= formAge.leastMs
    },

    /**
     * Judges by the form alone, never by the address. People leave pages open for hours, and are told so; a machine gets
     * the answer that everybody gets.
     * @throws DomainError `form_too_old`
     */
    isPerson: ({ website, stamp }: Pick<SignupInput, 'website' | 'stamp'>): boolean => {
      if (website) return false
      if (stamp === undefined) return true
      const age = ageOf(stamp)
      if (age !== undefined && age > formAge.mostMs) throw formTooOld()
      return age !== undefined
    },
  }
}

const formTooOld = () =>
  invalid(
    'form_too_old',
    'This form was open for too long; please send it once more.',
    atField('stamp', 'must be of a form opened within the last two hours'),
  )
