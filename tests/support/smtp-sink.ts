import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { startSmtpSink, type SinkFault, type SmtpSink, type SmtpSinkOptions } from './smtp-sink-server.ts'

export type { SinkFault, SmtpSink } from './smtp-sink-server.ts'

/** A sink that is closed when the test has finished. What it can be told to do to whom: `SinkFault`. */
export async function aSmtpSink(options?: SmtpSinkOptions): Promise<SmtpSink> {
  const sink = await startSmtpSink(options)
  onTestFinished(() => sink.close())
  return sink
}

export interface SinkProcess {
  url: string
  port: number
  child: ChildProcess
  /** Replaces the faults of the running sink. */
  setFaults(faults: SinkFault[]): void
  stop(): Promise<void>
}

/**
 * A sink in a process of its own, which survives the sender's death. It appends one line per copy, Message-ID, a tab
 * and the recipient, to `recordPath` before it replies, and when it came to `recordPath`.times.
 */
export async function spawnSmtpSink(recordPath: string): Promise<SinkProcess> {
  const child = fork(new URL('./smtp-sink-process.ts', import.meta.url), [recordPath], { stdio: 'inherit' })
  const [port] = (await once(child, 'message')) as [number]
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    child,
    setFaults: (faults) => child.send(faults),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}
