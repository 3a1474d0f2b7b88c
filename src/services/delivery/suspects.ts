import { classifyBounce, diagnosisOf, isGreylisting } from '../../domain/deliverability/bounce.ts'
import type { Refused } from '../../domain/delivery/delivery.ts'
import { domainOf } from '../../domain/subscribers/address.ts'
import { blameOf, type Blame } from '../../domain/delivery/refusal.ts'
import type { Failure } from '../../store/delivery/ledger.ts'

/** So many refusals of one kind in a row are no coincidence: they may be about us. */
export const enoughToDoubt = 5
/** So many stop a run: the first `enoughToDoubt` may all be dead. */
export const enoughToStop = 10

/** A refusal whose cause is not known yet: the reader, or us. */
export interface Suspect<Row> {
  row: Row
  /** Undefined where there was no message to send. */
  outcome: Refused | undefined
  failure: Failure
  blame: Blame
  /** The policy of the reader's own domain may be the cause. */
  isPolicy: boolean
  /** Its number in the order in which this run's conversations began and were refused. */
  at: number
  /** The reader was refused before, and the server has taken mail since. */
  isAgain: boolean
}

/** Once a recipient was named, the answer may come from that recipient's domain alone. */
export const isOfRecipient = ({ stage }: Refused): boolean => stage === 'rcpt' || stage === 'data'

export function suspectOf<Row>(row: Row, outcome: Refused, at: number): Suspect<Row> {
  const blame = blameOf(outcome)
  const isPolicy =
    isOfRecipient(outcome) && blame !== 'server' && classifyBounce(diagnosisOf(outcome)) === 'policy'
  const failure = { reason: `${outcome.stage}_${outcome.code ?? 'failed'}`, answer: outcome.answer }
  return { row, outcome, failure, blame, isPolicy, at, isAgain: false }
}

/** The server refused before it saw the message. */
export const isAtEnvelope = ({ outcome }: Suspect<unknown>): boolean =>
  outcome?.stage === 'mail' || outcome?.stage === 'rcpt'

/** Refusals that need no comparison: our own transport made them, or the server greylists everybody. */
export const isClear = ({ code, ...rest }: Refused): boolean =>
  code === undefined || isGreylisting(diagnosisOf({ code, ...rest }))

/**
 * The readers refused since the server last took a mail. Fewer than `enoughToDoubt` refusals of one kind are about the
 * readers; so many are about us. A kind is a stage and a code, for a server may word one refusal differently for each recipient; all
 * refusals whose words speak of us are one kind. Such words for readers of one domain alone are that domain's, passed on
 * by the server.
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

  /** Whether a reader of another domain should be tried next, to find out whom the server refuses. */
  get needsOtherDomain(): boolean {
    return this.longest >= enoughToDoubt || this.#all.some(({ blame }) => blame === 'relay')
  }

  get domains(): Set<string> {
    return new Set(this.#all.map(({ row }) => domainOf(row.address)))
  }

  /**
   * Removes the refusals that can be judged now.
   * @param before when the conversation of a mail that was taken began; without it nobody is left to try, and all are judged
   * @returns each refusal, and whether there were fewer than `enoughToDoubt` of its kind
   */
  take(before = Infinity): { suspect: Suspect<Row>; isAlone: boolean }[] {
    const taken = this.#kinds().flatMap((kind) => {
      const isAlone =
        kind.length < enoughToDoubt && kind.every(({ row, isAgain }) => isAgain || row.suspectAt === null)
      return kind.filter(({ at }) => at < before).map((suspect) => ({ suspect, isAlone }))
    })
    this.#all = this.#all.filter(({ at }) => at >= before)
    return taken
  }

  /** The readers refused again before the server saw a message: about them it can be asked without sending. */
  get again(): Suspect<Row>[] {
    return this.#all.filter((suspect) => suspect.isAgain && isAtEnvelope(suspect))
  }

  /** @returns those that were still undecided */
  remove(decided: readonly Suspect<Row>[]): Suspect<Row>[] {
    const removed = this.#all.filter((suspect) => decided.includes(suspect))
    this.#all = this.#all.filter((suspect) => !decided.includes(suspect))
    return removed
  }

  #kinds(): Suspect<Row>[][] {
    const kindOf = ({ blame, failure }: Suspect<Row>) => (blame === 'relay' ? blame : failure.reason)
    return [...Map.groupBy(this.#all, kindOf).values()]
  }
}
