import { Readable } from 'node:stream'

/** How far the message has come on its way to the socket. */
export type MessageStage = 'waiting' | 'body' | 'gate' | 'dot'

/** What a conversation costs is mostly its number of writes; past this much, the socket's own pace rules. */
const chunkBytes = 65_536

/**
 * A message that asks for permission between its last body byte and its end. Permission is asked once; without it
 * the stream breaks off, so that the final dot is never written and the server has nothing to deliver.
 */
export class MessageStream extends Readable {
  stage: MessageStage = 'waiting'
  /** What `beforeFinalDot` threw. */
  gateError: Error | undefined
  readonly #bytes: Buffer
  #written = 0
  readonly #beforeFinalDot: () => Promise<boolean>
  readonly #onStage: () => void
  #gate: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(segments: readonly Buffer[], beforeFinalDot: () => Promise<boolean>, onStage: () => void) {
    super({ highWaterMark: 1 })
    this.#bytes = Buffer.concat(segments)
    this.#beforeFinalDot = beforeFinalDot
    this.#onStage = onStage
  }

  /** Permission was refused: nobody is mailed. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** The end was handed out: from here on the server may have taken the message. */
  get isWhole(): boolean {
    return this.stage === 'dot'
  }

  /** Resolves once a question that was asked has been answered: its answer may already have changed a row. */
  get gateSettled(): Promise<void> {
    return this.#gate
  }

  override _read(): void {
    if (this.stage === 'waiting') this.#enter('body')
    if (this.stage !== 'body') return
    if (this.#written < this.#bytes.length) {
      const chunk = this.#bytes.subarray(this.#written, this.#written + chunkBytes)
      this.#written += chunk.length
      this.push(chunk)
    } else {
      this.#enter('gate')
      this.#gate = this.#askToEnd()
    }
  }

  async #askToEnd(): Promise<void> {
    try {
      this.#isStopped = !(await this.#beforeFinalDot())
    } catch (error) {
      this.gateError = error instanceof Error ? error : new Error(String(error))
    }
    if (this.gateError || this.#isStopped) {
      this.destroy(new Error('the message was cut off before its end'))
    } else if (!this.destroyed) {
      this.#enter('dot')
      this.push(null)
    }
  }

  #enter(stage: MessageStage): void {
    this.stage = stage
    this.#onStage()
  }
}
