import { domainOf } from '../../domain/subscribers/address.ts'
import type { Logger } from '../../log.ts'
import type { Transport } from '../../mail/smtp/transport.ts'
import type { Lease, Leases } from '../../store/delivery/leases.ts'
import type { suspectsOn } from '../../store/delivery/suspects.ts'
import type { WrittenMail } from './send-one.ts'
import type { DomainBreaker } from './domain-breaker.ts'
import { persist } from './until-committed.ts'
import { longestStreak, Suspects, type Refused, type Suspect } from './suspects.ts'

/** What must be known of a mail to judge its refusal. */
export type Claimed = Lease & { address: string; suspectAt: Date | null }

/** Why nothing more can be sent now. */
export interface Alarm {
  reason: 'refused' | 'relay_refuses' | 'no_answer'
  answer: string
  /** It passes by itself in seconds. */
  isBrief: boolean
}

export interface SuspicionOptions<Row extends Claimed> {
  leases: Leases<Row> & ReturnType<typeof suspectsOn<Row>>
  transport: Pick<Transport, 'wouldTake'>
  write: (row: Row) => Promise<WrittenMail>
  /** The server has said no to this mail, or it has ended. `isLast`: there will be no other attempt, by no fault of ours. */
  onRefused: (row: Row, outcome: Refused, isLast: boolean) => Promise<void>
  /** What `onRefused` was told of these was about us. */
  onTakenBack: (keys: number[]) => Promise<void>
  domains: DomainBreaker
  log: Logger
}

/** What a run does with its suspects. */
interface Run<Row> {
  alarm: (alarm: Alarm) => Promise<void>
  /** What became of it is on record. */
  finish: (row: Row) => void
}

/** Decides whether a refusal was about its person or about us. Until then nothing is recorded of it. */
export class Suspicion<Row extends Claimed> {
  readonly #options: SuspicionOptions<Row>
  readonly #run: Run<Row>
  readonly #suspects = new Suspects<Row>()

  constructor(options: SuspicionOptions<Row>, run: Run<Row>) {
    this.#options = options
    this.#run = run
  }

  /** Where a server turns everyone away, a reader of another domain can say whether it is they or we. */
  get avoidedDomains(): Set<string> | undefined {
    return this.#suspects.isInDoubt ? this.#suspects.domains : undefined
  }

  /** @param isRefused the server has refused us before, and taken nothing since */
  async add(suspect: Suspect<Row>, isRefused: boolean): Promise<void> {
    const { leases, log } = this.#options
    const isInWords = suspect.blame === 'relay'
    const { suspectAt } = suspect.row
    if (!isInWords && suspectAt && (await persist(() => leases.hasAcceptedSince(suspectAt), log))) {
      await this.convict(suspect)
      return
    }
    this.#suspects.add(suspect)
    // As many again may say that it was them; of a server that has refused us before, or in words, no more are asked.
    const enough = isInWords && isRefused ? 1 : (isInWords || isRefused ? 1 : 2) * longestStreak
    if (this.#suspects.longest >= enough) await this.#alarm(suspect)
  }

  /**
   * Somebody was taken whose conversation began at `begun`.
   * @param isFirst after refusals of an earlier run
   */
  async clear(begun: number, isFirst: boolean): Promise<void> {
    const taken = this.#suspects.take(begun)
    const inWords = taken.filter(({ suspect }) => suspect.blame === 'relay')
    // It was the domain that said it, and the server that passed it on.
    for (const domain of new Set(inWords.map(({ suspect }) => domainOf(suspect.row.address))))
      this.#options.domains.refuse(domain)
    for (const { suspect, isAlone } of taken) {
      const mayWait = suspect.isPolicy || suspect.blame === 'moment'
      if (suspect.blame === 'relay') await this.hold(suspect)
      else if (mayWait || (isAlone && !isFirst && isRejection(suspect))) await this.convict(suspect)
      else await this.#askAgain(suspect)
    }
  }

  /** @param isComplete nobody is left to ask; else nothing more may be sent, and who was refused alone is no suspect */
  async end(isComplete: boolean): Promise<void> {
    const { leases, log } = this.#options
    const rest = this.#suspects.take()
    const isWitnessTaken = isComplete ? await this.#askWitness(rest.map(({ suspect }) => suspect)) : undefined
    const isOurs = ({ isAlone, suspect }: (typeof rest)[number]) =>
      !isAlone || isWitnessTaken === false || suspect.blame === 'relay'
    for (const { suspect } of rest.filter(isOurs)) {
      const isCleared = isWitnessTaken && isAtEnvelope(suspect)
      if (suspect.blame === 'relay' && (isCleared || !isComplete)) await this.hold(suspect)
      else if (isCleared) await this.#askAgain(suspect)
      else await this.#holdAll(suspect)
    }
    const alone = rest.filter((each) => !isOurs(each)).map(({ suspect }) => suspect)
    if (!isComplete && alone.length > 0) await persist(() => leases.release(alone.map(({ row }) => row)), log)
    for (const suspect of isComplete ? alone : []) {
      if (isWitnessTaken && isAtEnvelope(suspect)) await this.convict(suspect)
      else await this.#believe(suspect)
    }
  }

  /** It was about this mail. */
  async convict(suspect: Suspect<Row>): Promise<void> {
    const { leases, onRefused, domains, log } = this.#options
    const { row, outcome, failure } = suspect
    if (suspect.isPolicy) domains.refuse(domainOf(row.address))
    const hasExpired = await persist(async () => {
      if (!isRejection(suspect)) return leases.markDeferred(row, failure)
      await leases.markRejected(row, failure)
      return false
    }, log)
    this.#run.finish(row)
    if (outcome) await onRefused(row, outcome, hasExpired)
  }

  /** It was about us, or said as if it were: it waits. */
  async hold({ row, failure }: Suspect<Row>): Promise<void> {
    const { leases, log } = this.#options
    await persist(() => leases.hold(row, failure), log)
    this.#run.finish(row)
  }

  /** The last one refused, and nobody after them to ask: believed, until others in a row say otherwise. */
  async #believe(suspect: Suspect<Row>): Promise<void> {
    const { leases, onRefused, onTakenBack, log } = this.#options
    const { row, outcome, failure } = suspect
    const before = await persist(() => leases.listSuspects(failure.reason), log)
    if (before.length + 1 >= longestStreak) {
      await this.#holdAll(suspect)
      const rejected = before.filter(({ isRejected }) => isRejected).map(({ key }) => key)
      await onTakenBack(await persist(() => leases.takeBack(rejected), log))
    } else if (isRejection(suspect)) {
      await persist(() => leases.markUnproven(row, failure), log)
      this.#run.finish(row)
      if (outcome) await onRefused(row, outcome, false)
    } else await this.convict(suspect)
  }

  /**
   * The last readers of a digest have nobody after them. Somebody who was taken before them can tell for them, without
   * a mail, what the server thinks of us now.
   * @returns undefined where nobody can
   */
  async #askWitness(suspects: Suspect<Row>[]): Promise<boolean | undefined> {
    const { leases, transport, write, log } = this.#options
    const suspect = suspects.find(isAtEnvelope)
    const witness = suspect && (await persist(() => leases.findWitness(), log))
    if (!witness) return undefined
    try {
      const { from } = await write(suspect.row)
      return await transport.wouldTake({ from, to: witness })
    } catch (error) {
      log.warn({ reason: String(error) }, 'the SMTP server could not be asked about somebody it had taken')
      return undefined
    }
  }

  async #askAgain({ row }: Suspect<Row>): Promise<void> {
    const { leases, log } = this.#options
    await persist(() => leases.askAgain(row), log)
    this.#run.finish(row)
  }

  async #holdAll(suspect: Suspect<Row>): Promise<void> {
    await this.#alarm(suspect)
    await this.hold(suspect)
  }

  #alarm({ blame, failure }: Suspect<Row>): Promise<void> {
    const reason = blame === 'relay' ? 'relay_refuses' : 'refused'
    return this.#run.alarm({ reason, answer: failure.answer, isBrief: false })
  }
}

/** Said before the message itself was seen. */
const isAtEnvelope = ({ outcome }: Suspect<unknown>): boolean =>
  outcome?.stage === 'mail' || outcome?.stage === 'rcpt'

/**
 * A 5xx at MAIL, or by a policy, is a reason to try later; so is one at RCPT that does not sound like the person, until
 * others were taken and it comes again.
 */
const isRejection = ({ blame, outcome, isPolicy, row }: Suspect<Claimed>): boolean => {
  if (blame !== 'sender') return blame === 'person'
  return !isPolicy && (outcome?.stage === 'data' || (outcome?.stage === 'rcpt' && row.suspectAt !== null))
}
