import { setTimeout as pause } from 'node:timers/promises'
import type { FeedService } from '../src/services/feeds/feeds.ts'
import type { WorkerDefinition } from './worker.ts'

/** Rounds of one job; where stories never stop coming, the next ring goes on. */
const maxRounds = 20

export const renderFeeds = (feeds: FeedService): WorkerDefinition<'render-feeds'> => ({
  name: 'render-feeds',
  async work() {
    for (let round = 0; round < maxRounds; round++) {
      const isWaiting = await feeds.renderChanged()
      if (!isWaiting) return
      // A feed that has changed in this second may change again in the next.
      await pause(1_000 - (Date.now() % 1_000) + 5)
    }
  },
})
