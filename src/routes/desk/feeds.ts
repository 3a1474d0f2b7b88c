import { z } from 'zod'
import { get, post, postForm, type DeskCall, type DeskRoute, type FormAtFault } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

const feedQuery = z.object({ path: z.string().max(2_000) })
const moveForm = feedQuery.extend({ to: z.string().trim().min(1).max(2_000) })

const formats = ['rss.xml', 'atom.xml', 'feed.json'] as const
const listQuery = z.object({
  q: z.string().trim().max(200).default('').catch(''),
  language: z.string().max(35).default('').catch(''),
  format: z.enum(formats).optional().catch(undefined),
})

/** What readers get, who asks for it, and what was left out; an admin moves and ends feeds. */
export function feedsDesk({ feeds, feedMoves }: Pick<Services, 'feeds' | 'feedMoves'>): DeskRoute[] {
  const showFeed = async ({ page }: DeskCall, path: string, more: object = {}) => {
    page('desk/feed', { feed: await feeds.get(path), ...more })
  }
  const showUnmoved = (call: DeskCall, refused: FormAtFault) =>
    showFeed(call, feedQuery.parse(refused.typed).path, refused)
  return [
    get('/feeds', 'viewer', async ({ request, page }) => {
      const wish = listQuery.parse(request.query)
      const list = await feeds.list()
      page('desk/feeds', {
        feeds: list.filter(({ path }) => isWished(path, wish)),
        broken: list.filter(({ leftOut }) => leftOut.length > 0),
        all: list.length,
        formats,
        wish,
      })
    }),
    get('/feeds/feed', 'viewer', (call) => showFeed(call, feedQuery.parse(call.request.query).path)),
    postForm('/feeds/move', 'admin', showUnmoved, async ({ request, actor, redirect }) => {
      const { path, to } = moveForm.parse(request.body)
      await feedMoves.move(path, to, actor)
      redirect('/feeds', 'feed-moved')
    }),
    post('/feeds/retire', 'admin', async ({ request, actor, redirect }) => {
      await feedMoves.retire(feedQuery.parse(request.body).path, actor)
      redirect('/feeds', 'feed-retired')
    }),
    post('/feeds/restore', 'admin', async ({ request, actor, redirect }) => {
      await feedMoves.restore(feedQuery.parse(request.body).path, actor)
      redirect('/feeds', 'feed-restored')
    }),
  ]
}

const isWished = (path: string, { q, language, format }: z.infer<typeof listQuery>): boolean =>
  path.toLowerCase().includes(q.toLowerCase()) &&
  path.startsWith(language === '' ? '/' : `/${language}/`) &&
  path.endsWith(format ?? '')
