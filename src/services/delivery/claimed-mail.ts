import { domainOf } from '../../domain/subscribers/address.ts'
import type { Logger } from '../../log.ts'
import type { Lease, Leases } from '../../store/delivery/ledger.ts'
import type { Permits } from './sending-budget.ts'
import { untilCommitted } from './until-committed.ts'

interface ClaimsOptions<Row extends Lease & { address: string }> {
  leases: Pick<Leases<Row>, 'claim' | 'extend' | 'hasPending' | 'release'>
  /** Conversations that must not wait for a statement. */
  connections: number
  /** Permission under the sending rate, asked for before anything is claimed; undefined where there is no rate. */
  permits: Permits | undefined
  onClaimed: () => void
  log: Logger
}

/** The mail that is this worker's: claimed in batches, in the order of its keys. */
export class Claims<Row extends Lease & { address: string }> {
  readonly #options: ClaimsOptions<Row>
  readonly #inHand = new Map<number, Lease>()
  readonly #waiting: Row[] = []
  readonly #over = new AbortController()
  #after = 0
  #asking = 0
  /** There was nothing left to claim: nothing is asked for again. */
  #foundNothing = false
  /** The last claim was filled: there is more, as far as we know. */
  #hasMore = false
  #isExhausted = false
  #refilling: Promise<void> | undefined
  #givingBack: Promise<void> | undefined

  constructor(options: ClaimsOptions<Row>) {
    this.#options = options
  }

  /** Aborted once nothing more is claimed or handed out. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Nothing more is claimed or handed out; what was claimed and never begun goes back at once. */
  halt(): void {
    if (this.#over.signal.aborted) return
    this.#over.abort()
    this.#givingBack = this.#giveBack()
  }

  /** Whether it ended because nothing was left to claim. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /**
   * The next mail to send; undefined when none is left, or after `halt`.
   * @param avoided domains whose readers come after all others
   */
  async next(avoided?: ReadonlySet<string>): Promise<Row | undefined> {
    this.#asking++
    try {
      while (!this.#over.signal.aborted) {
        if (this.#isLow() && !this.#foundNothing) this.#refilling ??= this.#refill()
        const row = avoided ? await this.#takeOther(avoided) : this.#waiting.shift()
        if (row) return row
        if (this.#refilling) await this.#refilling
        else {
          this.#isExhausted ||= !this.#over.signal.aborted
          this.halt()
        }
      }
      return undefined
    } finally {
      this.#asking--
    }
  }

  /** What became of it is on record. */
  finish(row: Row): void {
    this.#inHand.delete(row.key)
  }

  /** A heartbeat for every mail in hand. */
  async extend(): Promise<void> {
    if (this.#inHand.size > 0) await this.#options.leases.extend([...this.#inHand.values()])
  }

  /** Ends it. Resolves when nothing waits in hand. */
  async end(): Promise<void> {
    this.halt()
    await this.#givingBack
  }

  /** Claims ahead of need; under a sending rate only one mail, so that no worker holds mail that may not go yet. */
  #isLow(): boolean {
    return this.#waiting.length < (this.#options.permits ? 1 : this.#options.connections)
  }

  async #giveBack(): Promise<void> {
    const { leases, permits, log } = this.#options
    await this.#refilling
    const rest = this.#waiting.splice(0)
    if (rest.length === 0) return
    await untilCommitted(() => leases.release(rest), log)
    for (const row of rest) this.finish(row)
    await permits?.giveBack(rest.length)
  }

  /** Claims another batch where no mail in hand is of another domain. */
  async #takeOther(avoided: ReadonlySet<string>): Promise<Row | undefined> {
    const find = () => this.#waiting.findIndex((row) => !avoided.has(domainOf(row.address)))
    if (find() < 0) {
      this.#refilling ??= this.#refill(avoided)
      await this.#refilling
    }
    const [row] = this.#waiting.splice(Math.max(0, find()), 1)
    return row
  }

  async #refill(avoided?: ReadonlySet<string>): Promise<void> {
    const { permits, connections, log } = this.#options
    try {
      const limit = permits ? await this.#takePermits(permits) : Math.min(200, connections * 2)
      if (limit > 0) await this.#claim(limit, avoided)
    } catch (error) {
      log.warn({ reason: String(error) }, 'nothing could be claimed')
      this.halt()
    } finally {
      this.#refilling = undefined
    }
  }

  /** @returns 0 where there is none for now, or nothing to use it for */
  async #takePermits(permits: Permits): Promise<number> {
    // One turn of the event loop: whoever asks at the same time shares the statements.
    await new Promise((resolve) => setImmediate(resolve))
    this.#hasMore ||= await this.#options.leases.hasPending()
    this.#foundNothing = !this.#hasMore
    const granted = this.#hasMore ? await permits.take(this.#asking, this.#over.signal) : 0
    this.#hasMore = granted > 0
    return granted
  }

  async #claim(limit: number, avoided?: ReadonlySet<string>): Promise<void> {
    const { leases, permits, onClaimed } = this.#options
    const claim = await (avoided ? leases.claim(limit, 0, [...avoided]) : leases.claim(limit, this.#after))
    for (const row of claim.claimed) this.#inHand.set(row.key, row)
    this.#waiting.push(...claim.claimed)
    if (claim.claimed.length > 0) onClaimed()
    if (!avoided) this.#advance(claim)
    this.#hasMore = claim.claimed.length === limit
    await permits?.giveBack(limit - claim.claimed.length)
  }

  #advance(claim: { examined: number; last: number }): void {
    // Rows that came back lie behind us: once around before giving up.
    if (claim.examined === 0 && this.#after === 0) this.#foundNothing = true
    this.#after = claim.examined === 0 ? 0 : claim.last
  }
}
