import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { testSecret } from './config.ts'
import { cloneDatabase } from './database.ts'
import { bareEnvironment } from './programs.ts'

interface WebProcessOptions {
  databaseUrl: string
  port: number
  env?: Record<string, string>
}

/** `src/server.ts` in a process of its own, once it says that it is ready. @throws Error where it ends before */
export async function spawnWeb({ databaseUrl, port, env }: WebProcessOptions): Promise<ChildProcess> {
  const child = fork(new URL('../../src/server.ts', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...bareEnvironment,
      LOG_LEVEL: 'silent',
      DATABASE_URL: databaseUrl,
      SECRET_KEY: testSecret,
      SMTP_URL: 'smtp://127.0.0.1:1',
      PORT: String(port),
      METRICS_PORT: '0',
      DRAIN_SECONDS: '0',
      ...env,
    },
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the web process ended before it was ready: ${String(code ?? signal)}`)
  })
  await Promise.race([once(child, 'message'), ended])
  return child
}

/** The same on any free port, killed when the test has finished. */
export async function aWebProcess(
  databaseUrl?: string,
  env?: Record<string, string>,
): Promise<{ child: ChildProcess; port: number }> {
  const port = await findFreePort()
  const child = await spawnWeb({
    databaseUrl: databaseUrl ?? (await cloneDatabase()),
    port,
    ...(env && { env }),
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return { child, port }
}
