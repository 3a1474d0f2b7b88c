import type { Logger } from '../log.ts'
import type { Lease, Leases } from '../store/leases.ts'
import { persist } from './persist.ts'

interface ClaimsOptions<Row extends Lease> {
  leases: Pick<Leases<Row>, 'claim' | 'extend' | 'release'>
  /** Conversations that must not wait for a statement. */
  connections: number
  onClaimed: () => void
  log: Logger
}

/** The mail that is this worker's: claimed in batches, ahead of need, in the order of its keys. */
export class Claims<Row extends Lease> {
  readonly #options: ClaimsOptions<Row>
  readonly #inHand = new Map<number, Lease>()
  readonly #waiting: Row[] = []
  #after = 0
  #isExhausted = false
  #isHalted = false
  #refilling: Promise<void> | undefined

  constructor(options: ClaimsOptions<Row>) {
    this.#options = options
  }

  get isHalted(): boolean {
    return this.#isHalted
  }

  /** Nothing more is claimed or handed out. */
  halt(): void {
    this.#isHalted = true
  }

  /** The next mail to send; undefined when none is left, or after `halt`. */
  async next(): Promise<Row | undefined> {
    while (!this.#isHalted) {
      const isLow = this.#waiting.length < this.#options.connections
      if (isLow && !this.#isExhausted) this.#refilling ??= this.#refill()
      const row = this.#waiting.shift()
      if (row) return row
      if (!this.#refilling) return undefined
      await this.#refilling
    }
    return undefined
  }

  /** What became of it is on record. */
  finish(row: Row): void {
    this.#inHand.delete(row.key)
  }

  /** A heartbeat for every mail in hand. */
  async extend(): Promise<void> {
    if (this.#inHand.size > 0) await this.#options.leases.extend([...this.#inHand.values()])
  }

  /** Gives back what was claimed and never begun. */
  async giveBackRest(): Promise<void> {
    const { leases, log } = this.#options
    await this.#refilling
    if (this.#waiting.length > 0) await persist(() => leases.release(this.#waiting), log)
    this.#inHand.clear()
  }

  async #refill(): Promise<void> {
    const { leases, connections, onClaimed, log } = this.#options
    try {
      const claim = await leases.claim(Math.min(200, connections * 2), this.#after)
      for (const row of claim.claimed) this.#inHand.set(row.key, row)
      this.#waiting.push(...claim.claimed)
      if (claim.claimed.length > 0) onClaimed()
      // Rows that came back lie behind us: once around before giving up.
      if (claim.examined === 0 && this.#after === 0) this.#isExhausted = true
      this.#after = claim.examined === 0 ? 0 : claim.last
    } catch (error) {
      log.warn({ reason: String(error) }, 'nothing could be claimed')
      this.halt()
    } finally {
      this.#refilling = undefined
    }
  }
}
