import { classifyBounce, diagnosisOf, isGreylisting } from '../../domain/deliverability/bounce.ts'
import type { SendOutcome } from '../../domain/delivery/delivery.ts'
import { domainOf } from '../../domain/subscribers/address.ts'
import { blameOf, type Blame } from '../../domain/delivery/refusal.ts'
import type { Failure } from '../../store/delivery/leases.ts'

export type Refused = Extract<SendOutcome, { kind: 'refused' }>

/** People turned away one after another: no coincidence any more. */
export const longestStreak = 5

/** A refusal that may speak of its person, or of us. */
export interface Suspect<Row> {
  row: Row
  /** Undefined where there was no message to send. */
  outcome: Refused | undefined
  failure: Failure
  blame: Blame
  /** May have been said by the policy of the person's domain alone. */
  isPolicy: boolean
  /** Where the refusal stands in the order of what happened. */
  at: number
}

/** What is said after a recipient was named may be what that domain alone says. */
export const isOfRecipient = ({ stage }: Refused): boolean => stage === 'rcpt' || stage === 'data'

export function suspectOf<Row>(row: Row, outcome: Refused, at: number): Suspect<Row> {
  const blame = blameOf(outcome)
  const isPolicy =
    isOfRecipient(outcome) && blame !== 'server' && classifyBounce(diagnosisOf(outcome)) === 'policy'
  const failure = { reason: `${outcome.stage}_${outcome.code ?? 'failed'}`, answer: outcome.answer }
  return { row, outcome, failure, blame, isPolicy, at }
}

/** Judged at once: by our own transport, or a server that lets nobody in at the first knock. */
export const isClear = ({ code, ...rest }: Refused): boolean =>
  code === undefined || isGreylisting(diagnosisOf({ code, ...rest }))

/**
 * Who was refused since somebody was last taken. A refusal alone is believed, five of one kind are not: kind is the
 * stage and the code, for a server may say the same thing in as many words as it has recipients. Words about us are one
 * kind: of one domain alone they are that domain's, passed on.
 */
export class Suspects<Row extends { address: string; suspectAt: Date | null }> {
  #all: Suspect<Row>[] = []

  add(suspect: Suspect<Row>): void {
    this.#all.push(suspect)
  }

  /** @returns the most people that were refused in one way */
  get longest(): number {
    return Math.max(0, ...this.#kinds().map((kind) => kind.length))
  }

  /** Whether a reader of another domain should say next if it is they or we. */
  get isInDoubt(): boolean {
    return this.longest >= longestStreak || this.#all.some(({ blame }) => blame === 'relay')
  }

  get domains(): Set<string> {
    return new Set(this.#all.map(({ row }) => domainOf(row.address)))
  }

  /**
   * Somebody was taken whose conversation began after theirs had ended, or with no argument nobody is left to try.
   * @returns each with whether it stood alone
   */
  take(before = Infinity): { suspect: Suspect<Row>; isAlone: boolean }[] {
    const taken = this.#kinds().flatMap((kind) => {
      const isAlone = kind.length < longestStreak && kind.every(({ row }) => row.suspectAt === null)
      return kind.filter(({ at }) => at < before).map((suspect) => ({ suspect, isAlone }))
    })
    this.#all = this.#all.filter(({ at }) => at >= before)
    return taken
  }

  #kinds(): Suspect<Row>[][] {
    const kindOf = ({ blame, failure }: Suspect<Row>) => (blame === 'relay' ? blame : failure.reason)
    return [...Map.groupBy(this.#all, kindOf).values()]
  }
}
