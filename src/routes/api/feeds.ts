import { z } from 'zod'
import { apiRoute, type ApiRoute } from '../../http/route.ts'
import type { FeedService } from '../../services/feeds.ts'

const feedShape = z.object({
  path: z.string(),
  lastModified: z.iso.datetime().nullable(),
  size: z.int(),
  items: z.int(),
  leftOut: z.array(z.object({ guid: z.string(), title: z.string(), reason: z.string() })),
  movedTo: z.string().nullable(),
  retiredAt: z.iso.datetime().nullable(),
  polls: z.int(),
  notModified: z.int(),
  limited: z.int(),
  readers: z.array(z.object({ family: z.string(), polls: z.int(), share: z.number() })),
})

/** The feeds that are stored, as the desk shows them. */
export const feedApi = (feeds: FeedService): ApiRoute[] => [
  apiRoute({
    method: 'get',
    path: '/feeds',
    role: 'viewer',
    summary: 'Every stored feed: last change, size, what was left out, and polls of the last seven days',
    answers: { 200: z.object({ data: z.array(feedShape), next: z.null() }) },
    handle: async () => {
      const data = (await feeds.list()).map(({ isWaiting: _waiting, ...feed }) => ({
        ...feed,
        lastModified: feed.lastModified?.toISOString() ?? null,
        movedTo: feed.movedTo ?? null,
        retiredAt: feed.retiredAt?.toISOString() ?? null,
      }))
      return { body: { data, next: null } }
    },
  }),
]
