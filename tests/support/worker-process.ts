import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { testSecret } from './config.ts'
import { bareEnvironment } from './programs.ts'

export interface WorkerProcess {
  child: ChildProcess
  signal(signal: NodeJS.Signals): void
  /** Resolves with its exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals | null>
  /** SIGTERM, as a new release does it. */
  drain(): Promise<number | NodeJS.Signals | null>
  kill(): Promise<void>
}

export interface WorkerOptions {
  databaseUrl: string
  smtpUrl: string
  connections: number
  leaseSeconds: number
  env?: Record<string, string>
}

/** A worker process of its own, once it says that it works; its writers write a few lines. */
export async function spawnWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const child = fork(new URL('../faults/worker.ts', import.meta.url), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...bareEnvironment,
      NODE_ENV: 'test',
      LOG_LEVEL: process.env['FAULT_LOG'] ?? 'silent',
      DATABASE_URL: options.databaseUrl,
      SECRET_KEY: testSecret,
      SMTP_URL: options.smtpUrl,
      SMTP_CONNECTIONS: String(options.connections),
      LEASE_SECONDS: String(options.leaseSeconds),
      ...options.env,
    },
  })
  const exited = once(child, 'exit').then(
    ([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null,
  )
  await Promise.race([once(child, 'message'), exited])
  const isGone = () => child.exitCode !== null || child.signalCode !== null
  return {
    child,
    exited,
    signal: (signal) => child.kill(signal),
    async drain() {
      if (!isGone()) child.kill('SIGTERM')
      return exited
    },
    async kill() {
      if (!isGone()) child.kill('SIGKILL')
      await exited
    },
  }
}
