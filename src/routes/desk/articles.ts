import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Article } from '../../domain/articles/article.ts'
import { feedTextOf } from '../../domain/articles/links.ts'
import { framed, get, namedIn, post, postForm, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import type { Publication } from '../../domain/publication.ts'
import { rowId, toPageRequest } from '../../http/route.ts'
import { externalId } from '../../services/articles/input.ts'
import type { Services } from '../../services/services.ts'
import { blankForm, formOf, toInput, typedForm, type ArticleForm } from './article-form.ts'
import { addToText, takePicture, withPictures } from './pictures.ts'

const states = ['published', 'scheduled', 'draft', 'withdrawn'] as const

const optional = z.string().max(200).optional().catch(undefined)
const listQuery = z.object({
  q: optional,
  state: z.enum(states).optional().catch(undefined),
  language: optional,
  section: optional,
  source: rowId.optional().catch(undefined),
  cursor: z.string().max(2_000).optional(),
})
const bodyQuery = z.object({
  body: rowId.optional().catch(undefined),
  /** It stands in the form, rather than beside it. */
  use: z.literal('1').optional().catch(undefined),
})
const seenForm = z.object({ version: z.coerce.number().int().min(0) })
const previewForm = z.object({ as: z.enum(['page', 'feed', 'mail']).catch('page') })
const withdrawForm = z.object({ reason: z.string().trim().min(1).max(500) })

const pageSize = 30
/** Of what a translation may be chosen among. */
const recent = 30
/** A million Arabic letters as a form sends them. */
const bodyLimit = 8 * 1024 * 1024

const feedRules = ({ feedText, links }: Publication) => ({ feedText: feedText ?? undefined, links })
const pathOf = (id: string) => `/articles/${encodeURIComponent(id)}`

/** Stories: found, written, corrected, looked at before they are out, and taken back. */
export function articlesDesk(services: Services): DeskRoute[] {
  const { articles, clock, media, selections, sources, publication, storyPreview } = services
  const idOf = ({ request }: DeskCall) => namedIn(externalId, request, 'externalId')

  const showForm = async (call: DeskCall, form: ArticleForm, article: Article | undefined, more: object) => {
    const { languages } = await publication.get()
    const chosen = { sections: form.sections, dossiers: form.dossiers, tags: [] }
    const recents = await articles.list({ limit: recent, after: undefined })
    call.page('desk/article', {
      article,
      form,
      version: article ? articles.versionOf(article) : 0,
      url: article && articles.toShape(article).url,
      noticeUrl: article?.state === 'published' ? articles.toShape(article).url : undefined,
      offered: await selections.offer(chosen, call.session.language),
      languages: [...new Set([...languages, ...(article ? [article.language] : [])])],
      originals: recents.data.filter(({ id }) => id !== article?.id),
      ...more,
    })
  }

  const showNew = async (call: DeskCall, id: string) => {
    const { languages } = await publication.get()
    const own = languages.find((tag) => tag === call.session.language) ?? languages[0] ?? 'en'
    await showForm(call, blankForm(own), undefined, { id })
  }

  const showArticle = async (call: DeskCall, more: object = {}) => {
    const id = idOf(call)
    // Of a form that was refused, asked for again.
    if (id.startsWith('desk:') && !(await articles.find(id))) {
      await showNew(call, id)
      return
    }
    const article = await articles.get(id)
    const { body, use } = bodyQuery.parse(call.request.query)
    const bodies = await articles.listBodies(article.externalId)
    const earlier = bodies.find(({ id }) => id !== undefined && id === body)
    const used = use && earlier
    const text = used ?? bodies[0]
    if (!text) throw new Error('an article says something')
    const { zone } = await publication.get()
    const original = article.translationOf && (await articles.find(article.translationOf))
    const form = { ...formOf(article, text, zone), translationOf: original && `/articles/${original.slug}` }
    await showForm(call, form, article, { bodies, used, said: used ? undefined : earlier, ...more })
  }

  /** The body of a PUT, of what the form says. */
  const read = async (call: DeskCall) => {
    const stored = await articles.find(idOf(call))
    const { zone } = await publication.get()
    const read = toInput(call.request.body, stored, { zone, now: clock.now() })
    const { translationOf } = read.input
    if (translationOf !== undefined) read.input.translationOf = await articles.findNamed(translationOf)
    return { ...read, stored, id: stored?.externalId ?? idOf(call) }
  }

  const takePictures = async (call: DeskCall) => {
    const body = call.request.body as Record<string, unknown>
    const picture = await takePicture(call, 'picture', media)
    if (picture) body['url'] = picture.url
    if ('markdown' in body) await addToText(call, 'markdown', media)
  }

  const showTyped = async (call: DeskCall, more: object = {}) => {
    const article = await articles.find(idOf(call))
    const bodies = article && (await articles.listBodies(article.externalId))
    const form = typedForm(call.request.body)
    await showForm(call, form, article, { id: idOf(call), bodies, isTyped: true, ...more })
  }

  const written = (path: string, handle: DeskRoute['handle']): DeskRoute => {
    const route = postForm(`/articles/:externalId${path}`, 'editor', showTyped, handle)
    return withPictures({ ...route, bodyLimit }, takePictures)
  }

  return [
    get('/articles', 'viewer', async ({ request, page }) => {
      const { cursor, ...wish } = listQuery.parse(request.query)
      const { q: text, ...filter } = wish
      const asked = toPageRequest({ limit: pageSize, cursor }, ['time', 'id'])
      const list = await articles.list(asked, { ...filter, text })
      const older = new URLSearchParams()
      for (const [name, value] of Object.entries({ ...wish, cursor: list.next })) {
        if (value) older.set(name, String(value))
      }
      page('desk/articles', {
        articles: list.data,
        older: list.next && older.toString(),
        states,
        wish,
        sections: await selections.list('section'),
        sources: await sources.list(),
      })
    }),
    get('/articles/new', 'editor', (call) => showNew(call, `desk:${randomUUID()}`)),
    get('/articles/:externalId', 'viewer', (call) => showArticle(call)),
    written('', async (call) => {
      const { version } = seenForm.parse(call.request.body)
      const { id, input, tagNames, stored } = await read(call)
      const { article } = await articles.put(id, input, { actor: call.actor, version, tagNames })
      const isSame = article.state === stored?.state && article.state !== 'draft'
      call.redirect(pathOf(article.externalId), isSame ? 'saved' : `article-${article.state}`)
    }),
    written('/preview', async (call) => {
      const { input, stored } = await read(call)
      const publishedAt = input.publishedAt ?? stored?.publishedAt?.toISOString()
      const settings = await publication.get()
      const article = await storyPreview.page({ ...input, publishedAt }, settings)
      const { as } = previewForm.parse(call.request.body)
      if (as === 'mail')
        framed(call.response)
          .type('html')
          .send(await storyPreview.mail(article, settings))
      else if (as === 'feed')
        call.page('desk/feed-preview', { article, isWhole: feedTextOf(feedRules(settings)) === 'full' })
      else call.page('article', { article, language: article.language, isPreview: true })
    }),
    // Its picture is in the text now, and nothing is saved.
    written('/picture', (call) => showTyped(call)),
    postForm('/articles/:externalId/withdraw', 'editor', showArticle, async (call) => {
      const { reason } = withdrawForm.parse(call.request.body)
      const article = await articles.withdraw(String(call.request.params['externalId']), reason, call.actor)
      call.redirect(pathOf(article.externalId), 'article-withdrawn')
    }),
    post('/articles/:externalId/release', 'editor', async ({ request, actor, redirect }) => {
      const article = await articles.release(String(request.params['externalId']), actor)
      redirect(pathOf(article.externalId), 'article-released')
    }),
  ]
}
