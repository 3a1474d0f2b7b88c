import { fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
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

/**
 * Asks a process of its own, which has no environment, and ends: what crashes, or takes memory that is not JavaScript's,
 * takes nobody with it. The script answers its one message with one.
 * @throws UnansweredError where it crashed or took too long, and so it would again; any other error: it may be asked again
 */
export function askProcess<Answer>(
  script: URL,
  question: Serializable,
  limits: { timeoutMs: number; memoryMb: number },
): Promise<Answer> {
  const child = fork(script, {
    env: {},
    execArgv: [`--max-old-space-size=${limits.memoryMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: limits.timeoutMs,
    killSignal: 'SIGKILL',
  })
  return new Promise<Answer>((resolve, reject) => {
    child.on('error', reject)
    child.on('message', (answer: Answer) => {
      resolve(answer)
    })
    child.on('close', (code, signal) => {
      // Who ends this process may end that one with it.
      const isEnded = signal === null || signal === 'SIGTERM' || signal === 'SIGINT'
      const sentence = `a process ended by ${signal ?? code} before it answered`
      reject(isEnded ? new Error(sentence) : new UnansweredError(sentence))
    })
    child.send(question)
  }).finally(() => child.kill('SIGKILL'))
}

/** In such a process: answers the one question that it is sent, and ends. */
export function answerOnce(work: (question: never) => Promise<object>): void {
  endFirst()
  process.once('message', async (question) => {
    process.send?.(await work(question as never), () => {
      process.disconnect()
    })
  })
}

/** Where memory runs out, Linux ends this process before the one that sends mail. */
function endFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Other systems choose for themselves.
  }
}
