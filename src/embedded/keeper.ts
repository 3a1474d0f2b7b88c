import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Starts the process that ends the database of `dataDir` after this process (keeper-process.ts), and replaces it when it dies. */
export function startKeeper(dataDir: string) {
  let clients: number[] = []
  let isReleased = false
  let keeper = start()

  function start(): ChildProcess {
    const child = fork(new URL('./keeper-process.ts', import.meta.url), [dataDir], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    // It must not keep a finished command alive.
    child.unref()
    child.channel?.unref()
    child.send(clients)
    child.once('exit', () => {
      if (!isReleased) setTimeout(() => (keeper = start()), 1_000).unref()
    })
    return child
  }

  return {
    /** Processes that the database must outlive. */
    keepFor: (pids: number[]): void => {
      clients = pids
      if (keeper.connected) keeper.send(pids)
    },
    /** Lets the keeper stop the database, unless another process uses it, and waits for that. */
    async release(): Promise<void> {
      isReleased = true
      if (!keeper.connected) return
      const ended = once(keeper, 'exit')
      keeper.disconnect()
      keeper.ref()
      await ended
    },
  }
}
