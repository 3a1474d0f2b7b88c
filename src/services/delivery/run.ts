import { diagnosisOf } from '../../domain/deliverability/bounce.ts'
import type { Refused } from '../../domain/delivery/delivery.ts'
import { findRelayRefusal } from '../../domain/delivery/relay-refusal.ts'
import { domainOf } from '../../domain/subscribers/address.ts'
import type { Logger } from '../../log.ts'
import type { Transport } from '../../mail/smtp/transport.ts'
import type { Leases, Told } from '../../store/delivery/ledger.ts'
import { createAttempt, type AttemptOutcome } from './send-one.ts'
import type { Permits } from './sending-budget.ts'
import { Claims } from './claimed-mail.ts'
import type { ReachPoint } from './kill-points.ts'
import { shareStatement } from './one-statement.ts'
import { untilCommitted } from './until-committed.ts'
import { isClear, isOfRecipient, suspectOf, type Suspect } from './suspects.ts'
import { Suspicion, type Alarm, type Claimed, type SuspicionOptions } from './suspicion.ts'

export interface ConversationsOptions<Row extends Claimed> extends SuspicionOptions<Row> {
  transport: Transport
  permits: Permits | undefined
  /** Start with one conversation, and with all after its first success: the server was in trouble, or refused us. */
  isProbing: boolean
  /** The server has refused us before: until it takes a mail, fewer refusals are enough to stop. */
  isRefused: boolean
  /** The server refuses us, or leaves us in doubt too often. @returns whether nothing more is sent until it is asked again */
  onAlarm: (alarm: Alarm) => Promise<boolean>
  /** The first mail was taken. */
  onTaken?: (() => Promise<void>) | undefined
  reach: ReachPoint
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
 * Claims mail and keeps the transport's SMTP conversations busy with it until none is left. A conversation records what
 * became of its message before it starts the next: at most one message per connection is ever in doubt.
 */
export const startConversations = <Row extends Claimed>(options: ConversationsOptions<Row>): Conversations =>
  new Run(options)

class Run<Row extends Claimed> implements Conversations {
  readonly over: Promise<Result>
  readonly finished: Promise<Result>
  readonly #options: ConversationsOptions<Row>
  readonly #claims: Claims<Row>
  readonly #attempt: (row: Row, before: Promise<void>) => Promise<AttemptOutcome>
  readonly #tell: (told: Told) => Promise<boolean>
  readonly #suspicion: Suspicion<Row>
  readonly #lanes: Promise<void>[] = []
  #troubles = 0
  #unanswered = 0
  #accepted = 0
  /** Numbers beginnings and refusals, so that their order is known. */
  #clock = 0
  #alarmed: Promise<void> | undefined

  constructor(options: ConversationsOptions<Row>) {
    const { leases, transport, permits, reach, log } = options
    this.#options = options
    this.#claims = new Claims({
      leases,
      connections: transport.connections,
      permits,
      onClaimed: () => {
        reach('after-claim')
      },
      log,
    })
    this.#tell = shareStatement((told: Told[]) => recordTold(leases, told, log))
    this.#attempt = createAttempt({
      ...options,
      commit: ({ key, token }, messageId) => this.#tell({ key, token, messageId }),
    })
    this.#suspicion = new Suspicion(options, {
      alarm: (alarm) => this.#alarm(alarm),
      finish: (row) => {
        this.#claims.finish(row)
      },
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
      this.#startLanes(this.#options.isProbing ? 1 : this.#options.transport.connections)
      // Lanes may start others while they are awaited.
      for (let n = 0; n < this.#lanes.length; n++) await this.#lanes[n]
      await this.#suspicion.end(this.#claims.isExhausted)
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

  /** One mail after the other, on one connection. The next is written while the last one is put on record. */
  async #converse(): Promise<void> {
    let recorded = Promise.resolve()
    for (;;) {
      // Before a mail is taken: a lane that waits for its turn holds no mail.
      const release = await this.#options.transport.takeTurn(this.#claims.over)
      try {
        const row = release && (await this.#claims.next(this.#suspicion.avoidedDomains))
        if (!row) break
        const begun = ++this.#clock
        if (this.#options.domains.isResting(domainOf(row.address))) await this.#deferUntried(row)
        else {
          const outcome = await this.#attempt(row, recorded)
          await recorded
          recorded = this.#record(row, outcome, begun)
          // Whoever waits for it is told.
          recorded.catch(() => undefined)
          if (outcome.kind !== 'accepted') await recorded
        }
      } finally {
        release?.()
      }
    }
    await recorded
  }

  /** Counted as an attempt, though none is made: so the waits grow, until they are longer than the domain rests. */
  async #deferUntried(row: Row): Promise<void> {
    const { leases, permits, log } = this.#options
    const answer = 'not tried: its domain refuses our mail'
    await untilCommitted(() => leases.markDeferred(row, { reason: 'domain_rests', answer }), log)
    await permits?.giveBack(1)
    this.#claims.finish(row)
  }

  async #record(row: Row, outcome: AttemptOutcome, begun: number): Promise<void> {
    const { leases, log, transport } = this.#options
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
        const at = ++this.#clock
        await this.#suspect({
          row,
          outcome: undefined,
          failure,
          blame: 'person',
          isPolicy: false,
          at,
          isAgain: false,
        })
        return
      }
      case 'stopped':
        // It waits again where the whole digest was stopped, or where a withdrawal replaced its variant, as it may have
        // replaced those of the mails in hand: all are claimed anew. It was skipped where only this reader was stopped.
        if ((await untilCommitted(() => leases.release([row]), log)).has(row.key)) this.halt()
        break
      case 'ambiguous':
        await untilCommitted(() => leases.markAmbiguous(row, outcome.answer), log)
        if (++this.#unanswered > transport.connections) {
          await this.#alarm({ reason: 'no_answer', answer: outcome.answer, isBrief: false })
        }
        break
      case 'unknown':
        log.warn({ reason: String(outcome.error) }, 'the database could not be asked; the mail waits again')
        await untilCommitted(() => leases.release([row]), log)
    }
    this.#claims.finish(row)
  }

  async #recordAccepted(row: Row, answer: string, begun: number): Promise<void> {
    const { reach, transport, domains, isProbing, onTaken, log } = this.#options
    reach('after-250')
    await this.#tell({ key: row.key, answer })
    reach('after-accepted')
    if (++this.#accepted === 1 && onTaken) await untilCommitted(onTaken, log)
    this.#troubles = 0
    domains.accept(domainOf(row.address))
    await this.#suspicion.clear(begun, this.#accepted === 1 && isProbing)
    this.#startLanes(transport.connections)
  }

  async #recordRefusal(row: Row, outcome: Refused): Promise<void> {
    const { leases, log } = this.#options
    const suspect = suspectOf(row, outcome, ++this.#clock)
    const { blame, failure } = suspect
    this.#troubles = blame === 'server' ? this.#troubles + 1 : 0
    if (blame === 'server') {
      await untilCommitted(() => leases.postpone(row, failure), log)
      this.#claims.finish(row)
      if (this.#troubles >= this.#lanes.length) this.halt()
      return
    }
    const isBrief = findRelayRefusal(diagnosisOf(outcome)) === 'rate'
    if (blame === 'relay' && (isBrief || !isOfRecipient(outcome))) {
      await this.#alarm({ reason: 'relay_refuses', answer: outcome.answer, isBrief })
      await this.#suspicion.putAside(suspect)
      return
    }
    if (isClear(outcome)) await this.#suspicion.record(suspect)
    else await this.#suspect(suspect)
  }

  #suspect(suspect: Suspect<Row>): Promise<void> {
    return this.#suspicion.add(suspect, this.#options.isRefused && this.#accepted === 0)
  }

  /** Tells the first alarm of a run; conversations that are still in flight may raise it again. */
  #alarm(alarm: Alarm): Promise<void> {
    const { onAlarm, log } = this.#options
    this.halt()
    this.#alarmed ??= untilCommitted(() => onAlarm(alarm), log).then((isPaused) => {
      if (!isPaused) this.#troubles = Math.max(1, this.#troubles)
    })
    return this.#alarmed
  }
}

/** What was taken is told until it is on record; whoever asks whether a mail may go is not kept waiting. */
async function recordTold(leases: Pick<Leases<unknown>, 'record'>, told: Told[], log: Logger) {
  try {
    const granted = await leases.record(told)
    return ({ key }: Told) => granted.has(key)
  } catch (error) {
    const taken = told.filter(({ answer }) => answer !== undefined)
    const again = taken.length > 0 ? untilCommitted(() => leases.record(taken), log) : undefined
    return async ({ answer }: Told) => {
      if (answer === undefined) throw error
      await again
      return true
    }
  }
}
