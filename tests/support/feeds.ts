import { setTimeout as pause } from 'node:timers/promises'
import type { ArticleInput } from '../../src/services/articles/input.ts'
import { rowsOf } from './query.ts'
import { until } from './until.ts'
import { aWeb, type Web } from './web.ts'

export interface Newsroom extends Web {
  /** Publishes as a newsroom does, without rendering. */
  put: (externalId: string, wish?: Partial<ArticleInput>) => Promise<void>
  withdraw: (externalId: string, reason?: string) => Promise<void>
  /** What the worker does after a ring, until nothing waits and the web process has heard of all of it. */
  render: () => Promise<void>
}

/** A web process with its feeds and a newsroom that publishes through the services. */
export async function aNewsroom(options: Parameters<typeof aWeb>[0] = {}): Promise<Newsroom> {
  const web = await aWeb({ isFrontFirst: true, ...options })
  const { services } = web.context
  const desk = { kind: 'cli', role: 'admin' } as const
  await services.feedMemory.start()
  return {
    ...web,
    async put(externalId, wish = {}) {
      await services.articles.put(externalId, {
        title: `Le phare ${externalId}`,
        html: '<p>Le phare de Port-Clair brille de nouveau depuis hier soir.</p>',
        language: 'fr',
        sections: ['a-la-une'],
        ...wish,
      })
    },
    async withdraw(externalId, reason = 'Une erreur de date.') {
      await services.articles.withdraw(externalId, reason, desk)
    },
    async render() {
      while (await services.feeds.renderChanged()) await pause(1_000 - (Date.now() % 1_000) + 5)
      await until('the feeds as they are stored', async () => {
        const stored = await rowsOf<{ path: string; etag: string }>(
          web,
          'select path, etag from feed_documents',
        )
        return stored.every(({ path, etag }) => {
          const held = services.feedMemory.peek(path)
          return held?.kind !== 'feed' || held.feed.etag === etag
        })
      })
    },
  }
}
