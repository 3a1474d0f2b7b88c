import { z } from 'zod'
import { cadences, newsletterStates } from '../../domain/newsletter.ts'
import { get, patch, post, type ApiRoute } from '../../http/route.ts'
import { newsletterChange, newsletterInput } from '../../services/newsletters/input.ts'
import { composeInput } from '../../services/digests/input.ts'
import { digestShape } from '../../services/digests/shape.ts'
import type { Services } from '../../services/services.ts'
import { created } from './digests.ts'
import { newsletterReport } from './report-shapes.ts'

const params = z.strictObject({ slug: z.string().min(1).max(100) })

const newsletter = z.looseObject({
  slug: z.string(),
  name: z.string(),
  url: z.url(),
  language: z.string(),
  minArticles: z.int(),
  maxArticles: z.int(),
  subject: z.string().nullable(),
  approval: z.enum(['none', 'one', 'four-eyes']),
  repeats: z.enum(['never', 'within-newsletter']),
  state: z.enum(newsletterStates),
  cadences: z.array(z.looseObject({ cadence: z.enum(cadences) })),
  schedules: z.array(
    z.looseObject({ cadence: z.enum(cadences), zone: z.string(), skip: z.array(z.iso.date()) }),
  ),
})

export function newsletterApi({ newsletters, digests, reports }: Services): ApiRoute[] {
  return [
    get('/newsletters', 'viewer', {
      summary: 'Newsletters, in the order of the publication',
      answers: { 200: z.object({ data: z.array(newsletter), next: z.null() }) },
      handle: async () => ({
        body: { data: (await newsletters.list()).map(newsletters.toShape), next: null },
      }),
    }),
    post('/newsletters', 'editor', {
      summary: 'Create a newsletter',
      body: newsletterInput,
      answers: { 201: newsletter },
      handle: async ({ body, actor }) => ({
        body: newsletters.toShape(await newsletters.create(body, actor)),
      }),
    }),
    get('/newsletters/{slug}', 'viewer', {
      summary: 'One newsletter',
      params,
      answers: { 200: newsletter },
      handle: async ({ params: { slug } }) => ({ body: newsletters.toShape(await newsletters.get(slug)) }),
    }),
    patch('/newsletters/{slug}', 'editor', {
      summary: 'Change a newsletter; what is absent stays',
      params,
      body: newsletterChange,
      answers: { 200: newsletter },
      handle: async ({ params: { slug }, body, actor }) => ({
        body: newsletters.toShape(await newsletters.change(slug, body, actor)),
      }),
    }),
    get('/newsletters/{slug}/next', 'viewer', {
      summary: 'The open draft of each scheduled cadence: what it would hold now, for how many',
      params,
      answers: { 200: z.object({ data: z.array(digestShape), next: z.null() }) },
      handle: async ({ params: { slug } }) => ({ body: { data: await digests.listNext(slug), next: null } }),
    }),
    get('/newsletters/{slug}/report', 'viewer', {
      summary: 'What became of its digests, and who came and left, by days of the publication’s zone',
      params,
      query: z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) }),
      answers: { 200: newsletterReport },
      handle: async ({ params: { slug }, query }) => ({ body: await reports.ofNewsletter(slug, query.days) }),
    }),
    post('/newsletters/{slug}/digests', 'editor', {
      summary: 'Compose a digest now, beside the scheduled ones',
      params,
      body: composeInput,
      answers: { 201: digestShape },
      handle: async ({ params: { slug }, body, actor }) => created(await digests.compose(slug, body, actor)),
    }),
  ]
}
