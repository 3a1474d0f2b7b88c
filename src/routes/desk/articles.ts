import { z } from 'zod'
import { get, post, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import { toPageRequest } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'

const states = ['published', 'scheduled', 'draft', 'withdrawn'] as const

const listQuery = z.object({
  state: z.enum(states).optional().catch(undefined),
  cursor: z.string().max(2_000).optional(),
})
const withdrawForm = z.object({ reason: z.string().trim().min(1).max(500) })

const pageSize = 30

/** What came in by API and import: where it stands, and the way to take it back. */
export function articlesDesk({ articles }: Pick<Services, 'articles'>): DeskRoute[] {
  const showArticle = async ({ request, page }: DeskCall, more: object = {}) => {
    const article = await articles.get(String(request.params['externalId']))
    page('desk/article', { article, url: articles.toShape(article).url, ...more })
  }
  return [
    get('/articles', 'viewer', async ({ request, page }) => {
      const { state, cursor } = listQuery.parse(request.query)
      const list = await articles.list(toPageRequest({ limit: pageSize, cursor }), { state })
      page('desk/articles', { articles: list.data, next: list.next, states, state })
    }),
    get('/articles/:externalId', 'viewer', (call) => showArticle(call)),
    {
      ...post('/articles/:externalId/withdraw', 'editor', async ({ request, actor, redirect }) => {
        const { reason } = withdrawForm.parse(request.body)
        const article = await articles.withdraw(String(request.params['externalId']), reason, actor)
        redirect(`/articles/${encodeURIComponent(article.externalId)}`, 'article-withdrawn')
      }),
      showFaults: (call, faults) => showArticle(call, { typed: call.request.body as object, faults }),
    },
    post('/articles/:externalId/release', 'editor', async ({ request, actor, redirect }) => {
      const article = await articles.release(String(request.params['externalId']), actor)
      redirect(`/articles/${encodeURIComponent(article.externalId)}`, 'article-released')
    }),
  ]
}
