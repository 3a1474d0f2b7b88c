import { z } from 'zod'
import { firstInstantOf, localTimeOf } from '../../domain/calendar.ts'
import { pickPath, pickSteps } from '../../domain/articles/pick.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { get, post, postForm, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'
import { namesOf, newForm } from './sections.ts'

const time = z.union([z.literal(''), z.iso.datetime({ local: true })]).default('')
const form = z.object({ from: time, to: time, onFront: z.literal('on').optional() })
const storyForm = z.object({ article: z.string().max(200), do: z.enum(pickSteps) })
const pageQuery = z.object({
  find: z.string().trim().max(200).optional(),
  moved: z.string().max(200).optional(),
  by: z.enum(pickSteps).optional(),
})

/** Lists that editors put together: their names, articles, and from when to when readers see them. */
export function picksDesk({ picks, publication }: Services): DeskRoute[] {
  const slugIn = ({ request }: DeskCall) => String(request.params['slug'])
  const pageOf = (slug: string) => `/picks/${encodeURIComponent(slug)}`
  const showList = async ({ page }: DeskCall, more: object = {}) => {
    const [language = 'fr'] = (await publication.get()).languages
    page('desk/picks', { picks: await picks.list(), first: language, ...more })
  }
  const showOne = async (call: DeskCall, more: object = {}) => {
    const pick = await picks.get(slugIn(call))
    const { languages, zone } = await publication.get()
    const { find, ...place } = pageQuery.parse(call.request.query)
    const [from = '', to = ''] = [pick.startsAt, pick.endsAt].map((at) => (at ? localTimeOf(at, zone) : ''))
    call.page('desk/pick', {
      pick: { ...pick, path: pickPath(pick.slug), from, to },
      articles: await picks.listArticles(pick),
      languages,
      find,
      place,
      found: find ? await picks.search(find, pick) : undefined,
      ...more,
    })
  }

  return [
    get('/picks', 'viewer', (call) => showList(call)),
    get('/picks/:slug', 'viewer', (call) => showOne(call)),
    postForm('/picks', 'editor', showList, async ({ request, actor, redirect }) => {
      const { name } = newForm.parse(request.body)
      const [language = 'fr'] = (await publication.get()).languages
      redirect(pageOf((await picks.create(slugOf(name), { [language]: name }, actor)).slug))
    }),
    postForm('/picks/:slug', 'editor', showOne, async (call) => {
      const { from, to, onFront } = form.parse(call.request.body)
      const { zone } = await publication.get()
      const instantOf = (local: string) =>
        local === '' ? null : new Date(firstInstantOf(Date.parse(`${local}Z`), zone)).toISOString()
      const wish = {
        names: namesOf(call.request.body),
        from: instantOf(from),
        to: instantOf(to),
        onFront: onFront === 'on',
      }
      await picks.describe(slugIn(call), wish, call.actor)
      call.redirect(pageOf(slugIn(call)), 'saved')
    }),
    post('/picks/:slug/stories', 'editor', async (call) => {
      const { article, do: step } = storyForm.parse(call.request.body)
      await picks.applyStep(slugIn(call), { article, step }, call.actor)
      call.redirect(`${pageOf(slugIn(call))}?moved=${encodeURIComponent(article)}&by=${step}`)
    }),
    post('/picks/:slug/delete', 'editor', async (call) => {
      await picks.delete(slugIn(call), call.actor)
      call.redirect('/picks', 'saved')
    }),
  ]
}
