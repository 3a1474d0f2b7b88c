import { z } from 'zod'
import { show } from '../../domain/fields.ts'
import { get, post, type ApiRoute } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

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

const path = z.string().max(2_000).describe('Of any of its formats, such as `/sections/culture/rss.xml`')

/** The feeds that are stored, as the desk shows them, and what the desk decides about their addresses. */
export const feedApi = ({ feeds, feedMoves }: Pick<Services, 'feeds' | 'feedMoves'>): ApiRoute[] => [
  get('/feeds', 'viewer', {
    summary: 'Every stored feed: last change, size, what was left out, and polls of the last seven days',
    answers: { 200: z.object({ data: z.array(feedShape), next: z.null() }) },
    handle: async () => ({
      body: { data: (await feeds.list()).map((feed) => show(feedShape, feed)), next: null },
    }),
  }),
  post('/feeds/move', 'admin', {
    summary: 'Lead the readers of a feed to another one, in every format',
    body: z.strictObject({ path, to: path }),
    answers: { 204: 'Moved' },
    handle: ({ body, actor }) => feedMoves.move(body.path, body.to, actor),
  }),
  post('/feeds/retire', 'admin', {
    summary: 'Tell the readers of a feed that it has ended, in every format',
    body: z.strictObject({ path }),
    answers: { 204: 'Retired' },
    handle: ({ body, actor }) => feedMoves.retire(body.path, actor),
  }),
  post('/feeds/restore', 'admin', {
    summary: 'Serve a moved or retired feed again',
    body: z.strictObject({ path }),
    answers: { 204: 'Served again' },
    handle: ({ body, actor }) => feedMoves.restore(body.path, actor),
  }),
]
