import { diagnosisOf } from '../domain/bounce.ts'
import { findRelayRefusal } from '../domain/relay-refusal.ts'
import type { Logger } from '../log.ts'
import type { Transport } from '../mail/transport.ts'
import type { Lease, Leases } from '../store/leases.ts'
import type { suspectsOn } from '../store/suspects.ts'
import { createAttempt, type AttemptOutcome, type WrittenMail } from './attempt.ts'
import type { Permits } from './budget.ts'
import { Claims } from './claims.ts'
import type { DomainBreaker } from './domain-breaker.ts'
import type { Faults } from './faults.ts'
import { gather } from './gather.ts'
import { persist } from './persist.ts'
import {
  domainOf,
  isClear,
  longestStreak,
  suspectOf,
  Suspects,
  type Refused,
  type Suspect,
} from './suspects.ts'

/** What a conversation must know of a mail. */
type Claimed = Lease & { address: string; suspectAt: Date | null }

/** Why nothing more can be sent now. */
export interface Alarm {
  reason: 'refused' | 'relay_refuses' | 'no_answer'
  answer: string
  /** It passes by itself in seconds. */
  isBrief: boolean
}

export interface ConversationsOptions<Row extends Claimed> {
  leases: Leases<Row> & ReturnType<typeof suspectsOn<Row>>
  transport: Transport
  connections: number
  permits: Permits | undefined
  /** Start with one conversation, and with all after its first success: the server was in trouble. */
  isProbing: boolean
  write: (row: Row) => Promise<WrittenMail>
  /** The server refuses us, or leaves us in doubt too often. @returns whether nothing more is sent until it is asked again */
  onAlarm: (alarm: Alarm) => Promise<boolean>
  /** The first mail was taken. */
  onTaken?: (() => Promise<void>) | undefined
  /** The server has said no to this mail, or it has ended. `isLast`: there will be no other attempt, by no fault of ours. */
  onRefused: (row: Row, outcome: Refused, isLast: boolean) => Promise<void>
  /** What `onRefused` was told of these was about us. */
  onTakenBack: (keys: number[]) => Promise<void>
  domains: DomainBreaker
  faults: Faults
  log: Logger
}

export interface Result {
  accepted: number
  isServerInTrouble: boolean
}

export interface Conversations {
  /** Resolves when it takes no more mail: nothing is left, or it was halted. Another run may then begin beside it. */
  readonly over: Promise<Result>
  /** Resolves after that, with nothing in flight and nothing held. */
  readonly finished: Promise<Result>
  /** Claims nothing more; conversations in flight finish. */
  halt(): void
  /** A heartbeat for every row in hand. */
  extend(): Promise<void>
}

/**
 * Claims mail and keeps `connections` SMTP conversations busy with it until none is left. A conversation records what
 * became of its message before it starts the next: at most one message per connection is ever in doubt.
 */
export const startConversations = <Row extends Claimed>(options: ConversationsOptions<Row>): Conversations =>
  new Run(options)

class Run<Row extends Claimed> implements Conversations {
  readonly over: Promise<Result>
  readonly finished: Promise<Result>
  readonly #options: ConversationsOptions<Row>
  readonly #claims: Claims<Row>
  readonly #attempt: (row: Row) => Promise<AttemptOutcome>
  readonly #accept: (sent: { key: number; answer: string }) => Promise<void>
  readonly #suspects = new Suspects<Row>()
  readonly #lanes: Promise<void>[] = []
  #troubles = 0
  #inDoubt = 0
  #accepted = 0
  /** Counts what happens, so that it is known what began after what. */
  #clock = 0
  #alarmed: Promise<void> | undefined

  constructor(options: ConversationsOptions<Row>) {
    const { leases, connections, permits, faults, log } = options
    this.#options = options
    this.#claims = new Claims({
      leases,
      connections,
      permits,
      onClaimed: () => {
        faults('after-claim')
      },
      log,
    })
    this.#attempt = createAttempt(options)
    this.#accept = gather(async (sent) => {
      await persist(() => leases.markAccepted(sent), log)
      return () => undefined
    })
    const { over } = this.#claims
    this.over = new Promise((resolve) => {
      over.addEventListener('abort', () => {
        resolve(this.#result())
      })
    })
    this.finished = this.#run()
  }

  halt(): void {
    this.#claims.halt()
  }

  extend(): Promise<void> {
    return this.#claims.extend()
  }

  async #run(): Promise<Result> {
    try {
      this.#startLanes(this.#options.isProbing ? 1 : this.#options.connections)
      // Lanes may start others while they are awaited.
      for (let n = 0; n < this.#lanes.length; n++) await this.#lanes[n]
      await this.#endSuspicion()
    } finally {
      await this.#claims.end()
    }
    return this.#result()
  }

  #result(): Result {
    return { accepted: this.#accepted, isServerInTrouble: this.#troubles > 0 }
  }

  #startLanes(count: number): void {
    while (this.#lanes.length < count && !this.#claims.over.aborted) this.#lanes.push(this.#converse())
  }

  /** One mail after the other, on one connection. */
  async #converse(): Promise<void> {
    for (;;) {
      // Before it takes a mail: whoever waits for another to end holds nobody's.
      const release = await this.#options.transport.takeTurn(this.#claims.over)
      try {
        const row = release && (await this.#next())
        if (!row) return
        const begun = ++this.#clock
        if (this.#options.domains.isResting(domainOf(row))) await this.#postpone(row)
        else await this.#record(row, await this.#attempt(row), begun)
      } finally {
        release?.()
      }
    }
  }

  /** Where a server turns everyone away, a reader of another domain can say whether it is they or we. */
  #next(): Promise<Row | undefined> {
    return this.#claims.next(this.#suspects.longest >= longestStreak ? this.#suspects.domains : undefined)
  }

  async #postpone(row: Row): Promise<void> {
    const { leases, permits, log } = this.#options
    const answer = 'not tried: its domain refuses our mail'
    await persist(() => leases.markDeferred(row, { reason: 'domain_rests', answer }), log)
    await permits?.giveBack(1)
    this.#claims.finish(row)
  }

  async #record(row: Row, outcome: AttemptOutcome, begun: number): Promise<void> {
    const { leases, log, connections } = this.#options
    switch (outcome.kind) {
      case 'accepted':
        await this.#recordAccepted(row, outcome.answer, begun)
        break
      case 'refused':
        await this.#recordRefusal(row, outcome)
        return
      case 'unwritten': {
        log.error({ err: outcome.error }, 'a message could not be written')
        const failure = { reason: 'not_written', answer: '' }
        await this.#suspect({
          row,
          outcome: undefined,
          failure,
          blame: 'person',
          isPolicy: false,
          at: ++this.#clock,
        })
        return
      }
      case 'stopped':
        // Where it waits again, the whole digest was stopped; where it was skipped, only this person.
        if ((await persist(() => leases.release([row]), log)).has(row.key)) this.halt()
        break
      case 'ambiguous':
        await persist(() => leases.markAmbiguous(row, outcome.answer), log)
        if (++this.#inDoubt > connections) {
          await this.#alarm({ reason: 'no_answer', answer: outcome.answer, isBrief: false })
        }
        break
      case 'unknown':
        await persist(() => leases.release([row]), log)
    }
    this.#claims.finish(row)
  }

  async #recordAccepted(row: Row, answer: string, begun: number): Promise<void> {
    const { leases, faults, connections, domains, onTaken, log } = this.#options
    faults('after-250')
    await this.#accept({ key: row.key, answer })
    faults('after-accepted')
    // Before the first, refusals went on that began in an earlier run.
    const isStreakOver = ++this.#accepted === 1 && this.#options.isProbing
    if (this.#accepted === 1 && onTaken) await persist(onTaken, log)
    this.#troubles = 0
    domains.accept(domainOf(row))
    for (const { suspect, isAlone } of this.#suspects.take(begun)) {
      const isJudged =
        suspect.isPolicy || suspect.blame === 'moment' || (isAlone && !isStreakOver && isRejection(suspect))
      if (isJudged) await this.#convict(suspect)
      else {
        await persist(() => leases.askAgain(suspect.row), log)
        this.#claims.finish(suspect.row)
      }
    }
    this.#startLanes(connections)
  }

  async #recordRefusal(row: Row, outcome: Refused): Promise<void> {
    const { leases, log } = this.#options
    const suspect = suspectOf(row, outcome, ++this.#clock)
    const { blame, failure } = suspect
    this.#troubles = blame === 'server' ? this.#troubles + 1 : 0
    if (blame === 'server') {
      await persist(() => leases.postpone(row, failure), log)
      this.#claims.finish(row)
      if (this.#troubles >= this.#lanes.length) this.halt()
      return
    }
    if (blame === 'relay') {
      const isBrief = findRelayRefusal(diagnosisOf(outcome)) === 'rate'
      await this.#alarm({ reason: 'relay_refuses', answer: outcome.answer, isBrief })
      await this.#hold(suspect)
      return
    }
    if (isClear(outcome)) await this.#convict(suspect)
    else await this.#suspect(suspect)
  }

  async #suspect(suspect: Suspect<Row>): Promise<void> {
    const { leases, isProbing, log } = this.#options
    const { suspectAt } = suspect.row
    if (suspectAt && (await persist(() => leases.hasAcceptedSince(suspectAt), log))) {
      await this.#convict(suspect)
      return
    }
    this.#suspects.add(suspect)
    // As many again may say that it was them; of a server that has refused us before, no more than that is asked.
    if (this.#suspects.longest >= (isProbing && this.#accepted === 0 ? 1 : 2) * longestStreak) {
      await this.#alarm({ reason: 'refused', answer: suspect.failure.answer, isBrief: false })
    }
  }

  /** Nobody is left to ask, or nothing more may be sent. */
  async #endSuspicion(): Promise<void> {
    const { leases, log } = this.#options
    const isCut = !this.#claims.isExhausted
    const rest = this.#suspects.take()
    for (const { suspect } of rest.filter(({ isAlone }) => !isAlone)) {
      await this.#alarm({ reason: 'refused', answer: suspect.failure.answer, isBrief: false })
      await this.#hold(suspect)
    }
    const alone = rest.filter(({ isAlone }) => isAlone).map(({ suspect }) => suspect)
    for (const suspect of isCut ? [] : alone) await this.#believe(suspect)
    if (isCut && alone.length > 0) await persist(() => leases.release(alone.map(({ row }) => row)), log)
  }

  /** The last one refused, and nobody after them to ask: believed, until others in a row say otherwise. */
  async #believe(suspect: Suspect<Row>): Promise<void> {
    const { leases, onRefused, onTakenBack, log } = this.#options
    const { row, outcome, failure } = suspect
    const before = await persist(() => leases.listSuspects(failure.reason), log)
    if (before.length + 1 < longestStreak) {
      if (!isRejection(suspect)) {
        await this.#convict(suspect)
        return
      }
      await persist(() => leases.markUnproven(row, failure), log)
      this.#claims.finish(row)
      if (outcome) await onRefused(row, outcome, false)
      return
    }
    await this.#alarm({ reason: 'refused', answer: failure.answer, isBrief: false })
    await this.#hold(suspect)
    const rejected = before.filter(({ isRejected }) => isRejected).map(({ key }) => key)
    await onTakenBack(await persist(() => leases.takeBack(rejected), log))
  }

  /** It was about this mail. */
  async #convict(suspect: Suspect<Row>): Promise<void> {
    const { leases, onRefused, domains, log } = this.#options
    const { row, outcome, failure } = suspect
    if (suspect.isPolicy) domains.refuse(domainOf(row))
    const isRejected = isRejection(suspect)
    const hasExpired = await persist(async () => {
      if (!isRejected) return leases.markDeferred(row, failure)
      await leases.markRejected(row, failure)
      return false
    }, log)
    this.#claims.finish(row)
    if (outcome) await onRefused(row, outcome, hasExpired)
  }

  async #hold({ row, failure }: Suspect<Row>): Promise<void> {
    const { leases, log } = this.#options
    await persist(() => leases.hold(row, failure), log)
    this.#claims.finish(row)
  }

  /** Once: nothing that began before it can be taken after it. */
  #alarm(alarm: Alarm): Promise<void> {
    const { onAlarm, log } = this.#options
    this.halt()
    this.#alarmed ??= persist(() => onAlarm(alarm), log).then((isPaused) => {
      if (!isPaused) this.#troubles = Math.max(1, this.#troubles)
    })
    return this.#alarmed
  }
}

/**
 * A 5xx at MAIL, or by a policy, is a reason to try later; so is one at RCPT that does not sound like the person, until
 * others were taken and it comes again.
 */
const isRejection = ({ blame, outcome, isPolicy, row }: Suspect<Claimed>): boolean => {
  if (blame !== 'sender') return blame === 'person'
  return !isPolicy && (outcome?.stage === 'data' || (outcome?.stage === 'rcpt' && row.suspectAt !== null))
}
