import type { SendOutcome } from '../domain/delivery.ts'
import { classifyBounce, diagnosisOf } from '../domain/bounce.ts'
import { blameOf } from '../domain/refusal.ts'
import type { Logger } from '../log.ts'
import type { Transport } from '../mail/transport.ts'
import type { Lease, Leases } from '../store/leases.ts'
import { createAttempt, type AttemptOutcome, type WrittenMail } from './attempt.ts'
import type { Permits } from './budget.ts'
import { Claims } from './claims.ts'
import type { DomainBreaker } from './domain-breaker.ts'
import type { Faults } from './faults.ts'
import { gather } from './gather.ts'
import { persist } from './persist.ts'
import { createStreak } from './streak.ts'

type Refused = Extract<SendOutcome, { kind: 'refused' }>

export interface ConversationsOptions<Row extends Lease & { address: string }> {
  leases: Leases<Row>
  transport: Transport
  connections: number
  permits: Permits | undefined
  /** Start with one conversation, and with all after its first success: the server was in trouble. */
  isProbing: boolean
  write: (row: Row) => Promise<WrittenMail>
  /** The server turns everyone away, or leaves us in doubt too often. @returns once nothing new can be sent */
  onAlarm: (reason: 'refused' | 'no_answer') => Promise<void>
  /** The server has said no to this mail, or it has ended. `isLast`: there will be no other attempt, by no fault of ours. */
  onRefused: (row: Row, outcome: Refused, isLast: boolean) => Promise<void>
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
export const startConversations = <Row extends Lease & { address: string }>(
  options: ConversationsOptions<Row>,
): Conversations => new Run(options)

class Run<Row extends Lease & { address: string }> implements Conversations {
  readonly over: Promise<Result>
  readonly finished: Promise<Result>
  readonly #options: ConversationsOptions<Row>
  readonly #claims: Claims<Row>
  readonly #attempt: (row: Row) => Promise<AttemptOutcome>
  readonly #accept: (sent: { key: number; answer: string }) => Promise<void>
  readonly #streak: ReturnType<typeof createStreak>
  readonly #lanes: Promise<void>[] = []
  #troubles = 0
  #inDoubt = 0
  #accepted = 0

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
    this.#streak = createStreak({
      reject: (suspects) => persist(() => leases.markRejected(suspects), log),
      acquit: async (suspects) => {
        await this.#alarm('refused')
        await persist(() => leases.release(suspects), log)
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
      this.#startLanes(this.#options.isProbing ? 1 : this.#options.connections)
      // Lanes may start others while they are awaited.
      for (let n = 0; n < this.#lanes.length; n++) await this.#lanes[n]
      await this.#streak.end()
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
        const row = release && (await this.#claims.next())
        if (!row) return
        if (this.#options.domains.isResting(domainOf(row))) await this.#postpone(row)
        else await this.#record(row, await this.#attempt(row))
        this.#claims.finish(row)
      } finally {
        release?.()
      }
    }
  }

  async #postpone(row: Row): Promise<void> {
    const { leases, permits, log } = this.#options
    const answer = 'not tried: its domain refuses our mail'
    await persist(() => leases.markDeferred(row, { reason: 'domain_rests', answer }), log)
    await permits?.giveBack(1)
  }

  async #record(row: Row, outcome: AttemptOutcome): Promise<void> {
    const { leases, log } = this.#options
    switch (outcome.kind) {
      case 'accepted':
        await this.#recordAccepted(row, outcome.answer)
        return
      case 'stopped':
        // Where it waits again, the whole digest was stopped; where it was skipped, only this person.
        if ((await persist(() => leases.release([row]), log)).has(row.key)) this.halt()
        return
      case 'refused':
        await this.#recordRefusal(row, outcome)
        return
      case 'ambiguous':
        await persist(() => leases.markAmbiguous(row, outcome.answer), log)
        if (++this.#inDoubt > this.#options.connections) await this.#alarm('no_answer')
        return
      case 'unknown':
        await persist(() => leases.release([row]), log)
        return
      case 'unwritten':
        log.error({ err: outcome.error }, 'a message could not be written')
        await persist(() => leases.markDeferred(row, { reason: 'not_written', answer: '' }), log)
        await this.#streak.add(row, { isSuspect: true })
    }
  }

  async #recordAccepted(row: Row, answer: string): Promise<void> {
    const { faults, connections, domains } = this.#options
    faults('after-250')
    await this.#accept({ key: row.key, answer })
    faults('after-accepted')
    this.#accepted++
    this.#troubles = 0
    domains.accept(domainOf(row))
    await this.#streak.end()
    this.#startLanes(connections)
  }

  async #recordRefusal(row: Row, outcome: Refused): Promise<void> {
    const { leases, onRefused, domains, log } = this.#options
    const blame = blameOf(outcome)
    // What was said after a recipient was named may be the policy of that domain alone.
    const isPolicy =
      (outcome.stage === 'rcpt' || (outcome.stage === 'data' && blame !== 'server')) &&
      classifyBounce(diagnosisOf(outcome)) === 'policy'
    if (isPolicy) domains.refuse(domainOf(row))
    this.#troubles = blame === 'server' ? this.#troubles + 1 : 0
    const failure = { reason: `${outcome.stage}_${outcome.code ?? 'failed'}`, answer: outcome.answer }
    const hasEnded = await persist(async () => {
      if (blame !== 'person') return leases.markDeferred(row, failure)
      await leases.markRejected([row], failure)
      return true
    }, log)
    if (blame === 'sender') {
      const isSuspect = outcome.stage === 'data' && !isPolicy
      await this.#streak.add(row, { isSuspect, domain: isPolicy ? domainOf(row) : undefined })
    } else if (blame !== 'server') await this.#streak.end()
    if (hasEnded || blame !== 'server') await onRefused(row, outcome, hasEnded && blame !== 'server')
    if (this.#troubles >= this.#lanes.length) this.halt()
  }

  async #alarm(reason: 'refused' | 'no_answer'): Promise<void> {
    const { onAlarm, log } = this.#options
    this.halt()
    await persist(() => onAlarm(reason), log)
  }
}

const domainOf = ({ address }: { address: string }): string =>
  address.slice(address.lastIndexOf('@') + 1).toLowerCase()
