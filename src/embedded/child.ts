import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { unavailable } from '../errors.ts'

/** What a process says over IPC once it does its work. */
const isReady = (message: unknown): boolean => (message as { ready?: true } | null)?.ready === true

interface ChildOptions {
  name: string
  /** The module to run. */
  module: URL
  args?: string[]
  /** Node's own options for it. */
  nodeOptions: readonly string[]
  env: NodeJS.ProcessEnv
  /** Gets its output. A file and not a pipe: it must be able to log after its supervisor was killed. */
  logFile: string
  /** Called each time it starts again because it had ended without having been asked to. */
  onDeath: (reason: string) => void
  /** Called with its process id each time it was started. */
  onStart: () => void
}

export type Child = ReturnType<typeof startChild>

const firstDelayMs = 250
const longestDelayMs = 10_000
/** A child that lived this long starts again at once, however often it died before. */
const stableMs = 60_000

/** Keeps one process running: a dead one restarts, each time later while it dies soon. */
export function startChild(options: ChildOptions) {
  let { env } = options
  let current: ChildProcess | undefined
  let isStopping = false
  let delayMs = firstDelayMs
  let retry: NodeJS.Timeout | undefined
  const firstReady = Promise.withResolvers<true>()
  // Nobody may be waiting when it fails.
  firstReady.promise.catch(() => undefined)

  const start = () => {
    const startedAt = Date.now()
    const log = openSync(options.logFile, 'a', 0o600)
    const child = fork(options.module, options.args ?? [], {
      env,
      execArgv: [...process.execArgv, ...options.nodeOptions],
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    current = child
    options.onStart()
    child.on('message', (message) => {
      if (isReady(message)) firstReady.resolve(true)
    })
    child.once('exit', (code, signal) => {
      current = undefined
      const reason = signal ?? `exit code ${code ?? 0}`
      firstReady.reject(
        unavailable(
          'process_not_started',
          `The ${options.name} process ended before it was ready (${reason}); its log is ${options.logFile}.`,
        ),
      )
      if (isStopping) return
      if (Date.now() - startedAt > stableMs) delayMs = firstDelayMs
      // Not before: where all processes are told to end at once, a child may hear it first.
      retry = setTimeout(() => {
        options.onDeath(reason)
        start()
      }, delayMs)
      delayMs = Math.min(delayMs * 2, longestDelayMs)
    })
  }

  /** From now on its end is not followed by a start. */
  const letGo = () => {
    isStopping = true
    clearTimeout(retry)
  }

  /** SIGTERM, then SIGKILL when `timeoutMs` have passed. */
  const stop = async (timeoutMs: number) => {
    letGo()
    const child = current
    if (!child) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    await ended
    clearTimeout(force)
  }

  start()
  return {
    pid: () => current?.pid,
    /** Resolves when it first reports that it is ready; rejects when it ends before. */
    ready: firstReady.promise,
    letGo,
    stop,
    kill: () => current?.kill('SIGKILL'),
    /** Ends it, waits, and starts it again with another environment. */
    async restart(changed: NodeJS.ProcessEnv): Promise<void> {
      env = changed
      await stop(5_000)
      isStopping = false
      start()
    },
  }
}
