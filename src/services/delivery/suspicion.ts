import type { Refused } from '../../domain/delivery/delivery.ts'
import { isFinal } from '../../domain/delivery/refusal.ts'
import { domainOf } from '../../domain/subscribers/address.ts'
import type { Logger } from '../../log.ts'
import type { Transport } from '../../mail/smtp/transport.ts'
import type { Lease, Leases } from '../../store/delivery/ledger.ts'
import type { suspectsOn } from '../../store/delivery/suspects.ts'
import type { WrittenMail } from './send-one.ts'
import type { DomainBreaker } from './domain-breaker.ts'
import { untilCommitted } from './until-committed.ts'
import { enoughToDoubt, enoughToStop, isAtEnvelope, Suspects, type Suspect } from './suspects.ts'

/** What a refusal is judged by. */
export type Claimed = Lease & { address: string; suspectAt: Date | null }

/** Why nothing more can be sent now. */
export interface Alarm {
  reason: 'refused' | 'relay_refuses' | 'no_answer'
  answer: string
  /** The server is expected to take mail again within seconds. */
  isBrief: boolean
}

export interface SuspicionOptions<Row extends Claimed> {
  leases: Leases<Row> & ReturnType<typeof suspectsOn<Row>>
  transport: Pick<Transport, 'wouldTake'>
  write: (row: Row) => Promise<WrittenMail>
  /** A refusal counts against the reader. `isLast`: the mail's time is over, there will be no other attempt. */
  onRefused: (row: Row, outcome: Refused, isLast: boolean) => Promise<void>
  /** The refusals of these, which `onRefused` was told of, were about us after all. */
  onTakenBack: (keys: number[]) => Promise<void>
  domains: DomainBreaker
  log: Logger
}

/** What the run is asked to do. */
interface Run<Row> {
  alarm: (alarm: Alarm) => Promise<void>
  /** The outcome is committed; the run lets go of the mail. */
  finish: (row: Row) => void
}

/** Decides whether a refusal was about the reader or about us. A refusal is recorded only once that is decided. */
export class Suspicion<Row extends Claimed> {
  readonly #options: SuspicionOptions<Row>
  readonly #run: Run<Row>
  readonly #suspects = new Suspects<Row>()
  #asking: Promise<void> | undefined

  constructor(options: SuspicionOptions<Row>, run: Run<Row>) {
    this.#options = options
    this.#run = run
  }

  /** Until it is known whom the server refuses, the next mail goes to a reader of another domain. */
  get avoidedDomains(): Set<string> | undefined {
    return this.#suspects.needsOtherDomain ? this.#suspects.domains : undefined
  }

  /** @param isRefused the server has refused us before, and taken nothing since */
  async add(suspect: Suspect<Row>, isRefused: boolean): Promise<void> {
    const { leases, log } = this.#options
    const isInWords = suspect.blame === 'relay'
    const { suspectAt } = suspect.row
    suspect.isAgain =
      !isInWords &&
      suspectAt !== null &&
      (await untilCommitted(() => leases.hasAcceptedSince(suspectAt), log))
    this.#suspects.add(suspect)
    // Fewer stop the run where the server has refused us before, or says in words that it does; one where both.
    const enough = isInWords && isRefused ? 1 : isInWords || isRefused ? enoughToDoubt : enoughToStop
    if (this.#suspects.longest < enough) return
    await (this.#asking ??= this.#recordAgain().finally(() => {
      this.#asking = undefined
    }))
    if (this.#suspects.longest >= enough) await this.#alarm(suspect)
  }

  /** So many are refused again: they are all dead, if the server would take a mail for somebody else at this moment. */
  async #recordAgain(): Promise<void> {
    const { again } = this.#suspects
    if (!(await this.#wouldStillTake(again))) return
    for (const suspect of this.#suspects.remove(again)) await this.record(suspect)
  }

  /**
   * The server took a mail whose conversation began at `begun`: refusals before that were not about us.
   * @param isFirst it is the first mail taken since the server was in trouble or refused us
   */
  async clear(begun: number, isFirst: boolean): Promise<void> {
    const taken = this.#suspects.take(begun)
    const inWords = taken.filter(({ suspect }) => suspect.blame === 'relay')
    // The server takes mail for others, so the words about us come from these domains.
    for (const domain of new Set(inWords.map(({ suspect }) => domainOf(suspect.row.address))))
      this.#options.domains.refuse(domain)
    for (const { suspect, isAlone } of taken) {
      const mayWait = suspect.isPolicy || suspect.blame === 'moment'
      if (suspect.blame === 'relay') await this.putAside(suspect)
      else if (mayWait || (isAlone && !isFirst && isRejection(suspect))) await this.record(suspect)
      else await this.#askAgain(suspect)
    }
  }

  /** @param isComplete all readers were tried; otherwise the run was halted, and single refusals are tried again */
  async end(isComplete: boolean): Promise<void> {
    const { leases, log } = this.#options
    const rest = this.#suspects.take()
    const isTakingMail = isComplete
      ? await this.#wouldStillTake(rest.map(({ suspect }) => suspect))
      : undefined
    const isOurs = ({ isAlone, suspect }: (typeof rest)[number]) =>
      !isAlone || isTakingMail === false || suspect.blame === 'relay'
    for (const { suspect } of rest.filter(isOurs)) {
      const isCleared = isTakingMail && isAtEnvelope(suspect)
      if (suspect.blame === 'relay' && (isCleared || !isComplete)) await this.putAside(suspect)
      else if (isCleared) await (suspect.isAgain ? this.record(suspect) : this.#askAgain(suspect))
      else await this.#alarmAndPutAside(suspect)
    }
    const alone = rest.filter((each) => !isOurs(each)).map(({ suspect }) => suspect)
    if (!isComplete && alone.length > 0)
      await untilCommitted(() => leases.release(alone.map(({ row }) => row)), log)
    for (const suspect of isComplete ? alone : []) {
      if (isTakingMail && isAtEnvelope(suspect)) await this.record(suspect)
      else await this.#judgeLast(suspect)
    }
  }

  /** Records that the refusal was about this reader. */
  async record(suspect: Suspect<Row>): Promise<void> {
    const { leases, onRefused, domains, log } = this.#options
    const { row, outcome, failure } = suspect
    if (suspect.isPolicy) domains.refuse(domainOf(row.address))
    const hasExpired = await untilCommitted(async () => {
      if (!isRejection(suspect)) return leases.markDeferred(row, failure)
      await leases.markRejected(row, failure)
      return false
    }, log)
    this.#run.finish(row)
    if (outcome) await onRefused(row, outcome, hasExpired)
  }

  /** Lets the mail wait: the refusal was about us, or its words are. */
  async putAside({ row, failure }: Suspect<Row>): Promise<void> {
    const { leases, log } = this.#options
    await untilCommitted(() => leases.putAside(row, failure), log)
    this.#run.finish(row)
  }

  /** No other mail can show why the last reader was refused: it was the reader, unless earlier runs ended in the same way. */
  async #judgeLast(suspect: Suspect<Row>): Promise<void> {
    const { leases, onRefused, onTakenBack, log } = this.#options
    const { row, outcome, failure } = suspect
    const before = await untilCommitted(() => leases.listSuspects(failure.reason), log)
    if (before.length + 1 >= enoughToDoubt) {
      await this.#alarmAndPutAside(suspect)
      const rejected = before.filter(({ isRejected }) => isRejected).map(({ key }) => key)
      await onTakenBack(await untilCommitted(() => leases.takeBack(rejected), log))
    } else if (await untilCommitted(() => leases.hasPutAside(), log)) await this.putAside(suspect)
    else if (isRejection(suspect)) {
      await untilCommitted(() => leases.markUnproven(row, failure), log)
      this.#run.finish(row)
      if (outcome) await onRefused(row, outcome, false)
    } else await this.record(suspect)
  }

  /**
   * After the last reader of a digest no further mail shows whether the server still takes ours. It is asked, without
   * sending, whether it would take one for an address that it took before.
   * @returns undefined where it cannot be asked
   */
  async #wouldStillTake(suspects: Suspect<Row>[]): Promise<boolean | undefined> {
    const { leases, transport, write, log } = this.#options
    const suspect = suspects.find(isAtEnvelope)
    const taken = suspect && (await untilCommitted(() => leases.findTakenAddress(), log))
    if (!taken) return undefined
    try {
      const { from } = await write(suspect.row)
      return await transport.wouldTake({ from, to: taken })
    } catch (error) {
      log.warn({ reason: String(error) }, 'the SMTP server could not be asked about somebody it had taken')
      return undefined
    }
  }

  async #askAgain({ row }: Suspect<Row>): Promise<void> {
    const { leases, log } = this.#options
    await untilCommitted(() => leases.askAgain(row), log)
    this.#run.finish(row)
  }

  async #alarmAndPutAside(suspect: Suspect<Row>): Promise<void> {
    await this.#alarm(suspect)
    await this.putAside(suspect)
  }

  #alarm({ blame, failure }: Suspect<Row>): Promise<void> {
    const reason = blame === 'relay' ? 'relay_refuses' : 'refused'
    return this.#run.alarm({ reason, answer: failure.answer, isBrief: false })
  }
}

const isRejection = ({ blame, outcome, isPolicy, row }: Suspect<Claimed>): boolean =>
  isFinal(blame, { stage: outcome?.stage, isPolicy, isAgain: row.suspectAt !== null })
