import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Answers one question after another away from the event loop: what a stranger wrote may take any time. */
export interface Thread<Question, Answer> {
  /**
   * What does not answer in time, or runs out of memory, is ended and replaced: that question is lost, and no other.
   * @throws UnansweredError for such a question; any other error where there is no thread to ask: it may be asked again
   */
  ask(question: Question): Promise<Answer>
  close(): Promise<void>
}

export class UnansweredError extends Error {}

/** @param script answers each message with one message; it has no environment */
export function openThread<Question, Answer>(script: URL, timeoutMs: number): Thread<Question, Answer> {
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  const start = (): Worker => {
    const started = new Worker(script, {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
    })
    started.unref()
    // Whatever it still says while it is being ended.
    started.on('error', () => undefined)
    // Whoever waits hears of an error, not of an end.
    started.on('exit', () => started.emit('error', new Error('the thread ended')))
    return started
  }
  const stop = async () => {
    const stopped = worker
    worker = undefined
    await stopped?.terminate()
  }
  const askNext = async (question: Question): Promise<Answer> => {
    worker ??= start()
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      worker.postMessage(question)
      const [answer] = (await once(worker, 'message', { signal })) as [Answer]
      return answer
    } catch (error) {
      await stop()
      const isOutOfMemory = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY'
      throw signal.aborted || isOutOfMemory
        ? new UnansweredError('too slow, or too large', { cause: error })
        : error
    }
  }
  return {
    ask(question) {
      const next = last.then(() => askNext(question))
      last = next.catch(() => undefined)
      return next
    },
    close: stop,
  }
}
