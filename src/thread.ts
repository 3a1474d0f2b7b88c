import { Worker } from 'node:worker_threads'

/** Does one piece of work after another away from the event loop: what a stranger wrote may take any time. */
export interface Thread<Question, Answer> {
  /**
   * What does not answer in time, or runs out of memory, is ended and replaced: that question is lost, and no other.
   * @throws UnansweredError for such a question; any other error where there is no thread to ask: it may be asked again
   */
  ask(question: Question): Promise<Answer>
  close(): Promise<void>
}

export class UnansweredError extends Error {}

interface Options {
  /** Answers each message with one message; it has no environment. */
  script: URL
  timeoutMs: number
}

const memoryMb = 128

export function openThread<Question, Answer>({ script, timeoutMs }: Options): Thread<Question, Answer> {
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  const stop = async () => {
    const stopped = worker
    worker = undefined
    await stopped?.terminate()
  }
  const askNext = async (question: Question): Promise<Answer> => {
    if (!worker) {
      worker = new Worker(script, {
        env: {},
        resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 16 },
      })
      worker.unref()
    }
    try {
      return await answerOf<Answer>(worker, question, timeoutMs)
    } catch (error) {
      await stop()
      const isOutOfMemory = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY'
      throw isOutOfMemory ? new UnansweredError('it took too much memory') : error
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

function answerOf<Answer>(worker: Worker, question: unknown, timeoutMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  return new Promise<Answer>((resolve, reject) => {
    timer = setTimeout(() => {
      reject(new UnansweredError('it took too long'))
    }, timeoutMs)
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => {
      reject(new Error('the thread ended'))
    })
    worker.postMessage(question)
  }).finally(() => {
    clearTimeout(timer)
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
    // Whatever it still says while it is being ended.
    worker.on('error', () => undefined)
  })
}
