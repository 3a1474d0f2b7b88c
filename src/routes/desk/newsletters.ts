import { z } from 'zod'
import type { DeskRoute } from '../../http/desk.ts'
import type { NewsletterChange } from '../../services/newsletter-input.ts'
import type { Services } from '../../services/services.ts'

const text = z.string().trim().max(2_000)
const checked = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => [value].flat())
const slugsOf = text.transform((value) => value.split(/[\s,]+/).filter(Boolean))
const rank = z.coerce.number().int()

const newsletterForm = z.object({
  name: text,
  description: text.default(''),
  language: text,
  sections: slugsOf.default([]),
  dossiers: slugsOf.default([]),
  tags: slugsOf.default([]),
  blocks: text.default(''),
  minArticles: rank,
  maxArticles: rank,
  subject: text.default(''),
  from: text.default(''),
  approval: z.enum(['none', 'one', 'four-eyes']),
  repeats: z.enum(['never', 'within-newsletter']),
  template: z.enum(['digest', 'brief']),
  cadences: checked,
  dailyTime: text.default('07:00'),
  weeklyTime: text.default('07:00'),
  weekday: rank.default(1),
  zone: text,
  maxPerDay: rank.default(3),
})

/** Newsletters: their rules and cadences. */
export function newslettersDesk({ newsletters, selections, publication }: Services): DeskRoute[] {
  const known = async () => ({
    sections: await selections.list('section'),
    dossiers: await selections.list('dossier'),
    languages: (await publication.get()).languages,
    zone: (await publication.get()).zone,
  })
  return [
    {
      method: 'get',
      path: '/newsletters',
      role: 'viewer',
      handle: async ({ page }) => {
        page('desk/newsletters', { newsletters: await newsletters.listWithReaders() })
      },
    },
    {
      method: 'get',
      path: '/newsletters/new',
      role: 'editor',
      handle: async ({ page }) => {
        page('desk/newsletter', { known: await known(), newsletter: undefined })
      },
    },
    {
      method: 'get',
      path: '/newsletters/:slug',
      role: 'viewer',
      handle: async ({ request, page }) => {
        const newsletter = await newsletters.get(String(request.params['slug']))
        page('desk/newsletter', { known: await known(), newsletter, blocks: toLines(newsletter.blocks) })
      },
    },
    {
      method: 'post',
      path: '/newsletters/new',
      role: 'editor',
      handle: async ({ request, actor, redirect }) => {
        const slug = z.object({ slug: text }).parse(request.body).slug
        const created = await newsletters.create({ slug, ...requireNamed(toChange(request.body)) }, actor)
        redirect(`/newsletters/${encodeURIComponent(created.slug)}`, 'saved')
      },
    },
    {
      method: 'post',
      path: '/newsletters/:slug',
      role: 'editor',
      handle: async ({ request, actor, redirect }) => {
        const slug = String(request.params['slug'])
        await newsletters.change(slug, toChange(request.body), actor)
        redirect(`/newsletters/${encodeURIComponent(slug)}`, 'saved')
      },
    },
  ]
}

const requireNamed = (change: NewsletterChange) => ({
  ...change,
  name: change.name ?? '',
  language: change.language ?? '',
})

type Blocks = NonNullable<NewsletterChange['blocks']>

/** One block a line: `lead`, `section culture`, `dossier le-port`, `most-read`. */
const toBlocks = (lines: string): Blocks =>
  lines
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/))
    .filter(([kind]) => kind !== '')
    .map(([kind, slug]) => ({ kind, ...(slug !== undefined && { slug }) })) as Blocks

const toLines = (blocks: readonly { kind: string; slug?: string }[]): string =>
  blocks.map(({ kind, slug }) => (slug === undefined ? kind : `${kind} ${slug}`)).join('\n')

function toChange(body: unknown): NewsletterChange {
  const form = newsletterForm.parse(body)
  const { zone, cadences, dailyTime, weeklyTime, weekday, maxPerDay, blocks, subject, from, ...rest } = form
  const rules: NonNullable<NewsletterChange['cadences']> = []
  if (cadences.includes('daily')) rules.push({ cadence: 'daily', time: dailyTime, zone })
  if (cadences.includes('weekly')) rules.push({ cadence: 'weekly', weekday, time: weeklyTime, zone })
  if (cadences.includes('alert')) rules.push({ cadence: 'alert', maxPerDay })
  return { ...rest, blocks: toBlocks(blocks), cadences: rules, subject: subject || null, from: from || null }
}
