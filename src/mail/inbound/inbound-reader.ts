import { Worker } from 'node:worker_threads'
import type { InboundEnvelope, InboundText } from './inbound.ts'

export interface InboundReader {
  /**
   * Reads one mail after another; what takes too long or too much memory is `unreadable`.
   * @throws where there is no thread to read with: the mail may be read later
   */
  read: (raw: Buffer, envelope: InboundEnvelope) => Promise<InboundText>
  close(): Promise<void>
}

/** Reading takes milliseconds and a few times the size of a mail; the rest is for a machine that is busy. */
const limits = { timeoutMs: 10_000, memoryMb: 128 }

const unreadable: InboundText = { kind: 'ignored', why: 'unreadable' }

/**
 * A thread that reads what comes in. One that does not answer in time, or runs out of memory, is ended and replaced:
 * the mail that did it is lost, and no other.
 */
export function openInboundReader({
  script = new URL('./inbound-thread.ts', import.meta.url),
  timeoutMs = limits.timeoutMs,
} = {}): InboundReader {
  let thread: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  const stop = async () => {
    const stopped = thread
    thread = undefined
    await stopped?.terminate()
  }
  const readNext = async (mail: { raw: Buffer; envelope: InboundEnvelope }): Promise<InboundText> => {
    if (!thread) {
      const started = new Worker(script, {
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb, maxYoungGenerationSizeMb: 16 },
      })
      started.unref()
      thread = started
    }
    try {
      return await ask(thread, mail, timeoutMs)
    } catch (error) {
      await stop()
      if (isOfTheMail(error)) return unreadable
      throw error
    }
  }
  return {
    read(raw, envelope) {
      const next = last.then(() => readNext({ raw, envelope }))
      last = next.catch(() => undefined)
      return next
    },
    close: stop,
  }
}

class TooSlowError extends Error {}

const isOfTheMail = (error: unknown): boolean =>
  error instanceof TooSlowError || (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY'

function ask(thread: Worker, mail: object, timeoutMs: number): Promise<InboundText> {
  let timer: NodeJS.Timeout | undefined
  return new Promise<InboundText>((resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TooSlowError('not read in time'))
    }, timeoutMs)
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => {
      reject(new Error('the thread that reads mail ended'))
    })
    thread.postMessage(mail)
  }).finally(() => {
    clearTimeout(timer)
    for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event)
    // Whatever it still says while it is being ended.
    thread.on('error', () => undefined)
  })
}
