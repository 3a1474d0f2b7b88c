import { setTimeout as sleep } from 'node:timers/promises'
import type { Response } from 'express'

/** A stream ends by itself after this, so that nobody watches long after their session; browsers reconnect. */
const lifetimeMs = 25_000
const intervalMs = 1_000

/**
 * Sends what `read` tells, once a second, as server-sent events named `progress`, until it is final, the client has
 * gone, the process drains, or the stream is old. A first failing read is thrown, so that it becomes an ordinary problem.
 * @param draining ends the stream at once when the process is told to end; the browser reconnects to another
 */
export async function sendEvents<Progress extends { isFinal: boolean }>(
  response: Response,
  { read, draining }: { read: () => Promise<Progress>; draining: AbortSignal },
): Promise<void> {
  let progress = await read()
  const gone = new AbortController()
  response.on('close', () => {
    gone.abort()
  })
  const end = AbortSignal.any([gone.signal, draining, AbortSignal.timeout(lifetimeMs)])
  // A proxy that buffers would show nothing until the end.
  response.status(200).set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }).flushHeaders()
  response.write('retry: 1000\n\n')
  for (;;) {
    response.write(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`)
    if (progress.isFinal) break
    await sleep(intervalMs, undefined, { signal: end }).catch(() => undefined)
    if (end.aborted) break
    progress = await read()
  }
  response.end()
}
