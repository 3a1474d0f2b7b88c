import type { Request, Response } from 'express'

/** A stream ends by itself after this, so that a draining process waits for none; browsers reconnect. */
const lifetimeMs = 25_000
const intervalMs = 1_000

/**
 * Sends what `read` tells, once a second, as server-sent events named `progress`, until it is final, the client has
 * gone, or the stream is old. A first failing read is thrown, so that it becomes an ordinary problem.
 */
export async function sendEvents<Progress extends { isFinal: boolean }>(
  request: Request,
  response: Response,
  read: () => Promise<Progress>,
): Promise<void> {
  let progress = await read()
  let isOpen = true
  request.on('close', () => {
    isOpen = false
  })
  // A proxy that buffers would show nothing until the end.
  response.status(200).set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }).flushHeaders()
  response.write('retry: 1000\n\n')
  const endAt = performance.now() + lifetimeMs
  for (;;) {
    response.write(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`)
    if (progress.isFinal || performance.now() > endAt) break
    await new Promise((resolve) => setTimeout(resolve, intervalMs).unref())
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- the close event changes it
    if (!isOpen) break
    progress = await read()
  }
  response.end()
}
