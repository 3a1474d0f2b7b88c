import type { Logger } from '../../log.ts'
import type { Conversations, Result } from './run.ts'
import type { Presence } from './presence.ts'
import { createServerBreaker, type Rest } from './server-breaker.ts'

interface RunsOptions {
  presence: Pick<Presence, 'mayClaim' | 'stopClaiming'>
  troubleSeconds: number
  log: Logger
}

/** What this worker sends: every run that exists is here until its last conversation has ended. */
export function createRuns({ presence, troubleSeconds, log }: RunsOptions) {
  /** Who takes the mail of a name. The place is taken before anything is awaited. */
  const places = new Map<string, symbol>()
  const alive = new Set<Conversations>()
  const breaker = createServerBreaker({ troubleSeconds, log })

  const follow = (
    name: string,
    run: { conversations: Conversations; end: () => void; rest: Rest | undefined },
  ) => {
    const { conversations, end, rest } = run
    let hasTripped = false
    const judge = ({ accepted, isServerInTrouble }: Result) => {
      if (isServerInTrouble && !hasTripped) breaker.trip(name, accepted > 0 ? undefined : rest)
      hasTripped ||= isServerInTrouble
    }
    alive.add(conversations)
    const over = conversations.over.then((result) => {
      judge(result)
      end()
    })
    const finished = conversations.finished
      .then(async (result) => {
        await over
        // The next run of this name has begun already, and judges the server by newer answers.
        if (places.has(name)) return
        judge(result)
        if (!result.isServerInTrouble) breaker.reset(name)
      })
      .finally(() => alive.delete(conversations))
    return { over, finished }
  }

  return {
    /**
     * One run of a name claims mail at a time; a ring meanwhile changes nothing. A run that claims nothing more makes room
     * for the next at once, and finishes its conversations beside it.
     * @param open reads what the run needs
     * @returns undefined where nothing began
     */
    async start(
      name: string,
      open: () => Promise<(isProbing: boolean) => Conversations>,
    ): Promise<ReturnType<typeof follow> | undefined> {
      const rest = breaker.find(name)
      if (places.has(name) || !presence.mayClaim() || performance.now() < (rest?.until ?? 0)) return undefined
      const place = Symbol(name)
      places.set(name, place)
      const end = () => {
        if (places.get(name) === place) places.delete(name)
      }
      let conversations: Conversations | undefined
      try {
        const begin = await open()
        // A drain that began while `open` was awaited did not know of this run.
        if (presence.mayClaim()) conversations = begin(rest !== undefined)
      } finally {
        if (!conversations) end()
      }
      if (!conversations) return undefined
      return follow(name, { conversations, end, rest })
    },

    has: (name: string) => places.has(name),

    /** A heartbeat for everything in hand. @throws where one of them failed; the others have had theirs */
    extend: async (): Promise<void> => {
      const all = await Promise.allSettled([...alive].map((conversations) => conversations.extend()))
      for (const one of all) if (one.status === 'rejected') throw one.reason
    },

    /** Takes nothing more, finishes the conversations in flight, and gives back what is left. */
    drain: async (): Promise<void> => {
      presence.stopClaiming()
      for (const conversations of alive) conversations.halt()
      await Promise.all([...alive].map((conversations) => conversations.finished))
    },
  }
}
