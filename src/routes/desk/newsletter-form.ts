import { z } from 'zod'
import { newsletterStates, type Newsletter } from '../../domain/newsletter.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { listOf } from '../../http/form-fields.ts'
import type { NewsletterChange } from '../../services/newsletters/input.ts'

const text = z.string().trim().max(2_000)
const rank = z.coerce.number().int()
const chosen = z.preprocess(listOf, z.array(text))
const names = text.transform((value) =>
  value
    .split(/[,،\n]/)
    .map(slugOf)
    .filter(Boolean),
)

const schema = z.object({
  name: text,
  description: text.default(''),
  language: text,
  sections: chosen,
  dossiers: chosen,
  tags: chosen,
  /** Tags that the form does not offer, as one would write them. */
  moreTags: names.default([]),
  blocks: chosen,
  minArticles: rank,
  maxArticles: rank,
  subject: text.default(''),
  /** Absent where the editor is no admin: it stays. */
  from: text.optional(),
  replyTo: text.default(''),
  welcome: z.string().trim().max(10_000).default(''),
  approval: z.enum(['none', 'one', 'four-eyes']).optional(),
  repeats: z.enum(['never', 'within-newsletter']),
  template: z.enum(['digest', 'brief']),
  linkTags: text.optional(),
  state: z.enum(newsletterStates).optional(),
  confirmEnd: text.optional(),
  cadences: chosen,
  dailyTime: text.default('07:00'),
  weeklyTime: text.default('07:00'),
  weekday: rank.default(1),
  zone: text,
  maxPerDay: rank.default(3),
})

/** What stands in the form, under the names of its fields. */
export type NewsletterForm = Record<'sections' | 'dossiers' | 'tags' | 'blocks' | 'cadences', string[]> &
  Record<string, unknown>

/** Of a newsletter to come. */
export const blankForm = (zone: string): NewsletterForm => ({
  sections: [],
  dossiers: [],
  tags: [],
  blocks: [],
  cadences: ['daily'],
  minArticles: 1,
  maxArticles: 12,
  dailyTime: '07:00',
  weeklyTime: '07:00',
  weekday: 1,
  maxPerDay: 3,
  zone,
})

export function formOf(newsletter: Newsletter, zone: string): NewsletterForm {
  const form: NewsletterForm = {
    ...blankForm(zone),
    ...newsletter,
    blocks: newsletter.blocks.map((block) => ('slug' in block ? `${block.kind} ${block.slug}` : block.kind)),
    cadences: newsletter.cadences.map(({ cadence }) => cadence),
  }
  for (const rule of newsletter.cadences) {
    if (rule.cadence === 'alert') form['maxPerDay'] = rule.maxPerDay ?? form['maxPerDay']
    else Object.assign(form, { [`${rule.cadence}Time`]: rule.time, zone: rule.zone })
    if (rule.cadence === 'weekly') form['weekday'] = rule.weekday
  }
  return form
}

/** As it was sent, right or wrong. */
export function typedForm(body: unknown): NewsletterForm {
  const fields = body as Record<string, unknown>
  return {
    ...fields,
    sections: listOf(fields['sections']),
    dossiers: listOf(fields['dossiers']),
    tags: listOf(fields['tags']),
    blocks: listOf(fields['blocks']),
    cadences: listOf(fields['cadences']),
    weekday: Number(fields['weekday']),
  }
}

/** @throws ZodError */
export function toChange(body: unknown, before?: Newsletter) {
  const form = schema
    .refine(({ state, confirmEnd }) => state !== 'ended' || before?.state === 'ended' || confirmEnd, {
      path: ['confirmEnd'],
    })
    .parse(body)
  const { zone, cadences, dailyTime, weeklyTime, weekday, maxPerDay, moreTags, confirmEnd: _, ...rest } = form
  const rules: NonNullable<NewsletterChange['cadences']> = []
  if (cadences.includes('daily')) rules.push({ cadence: 'daily', time: dailyTime, zone })
  if (cadences.includes('weekly')) rules.push({ cadence: 'weekly', weekday, time: weeklyTime, zone })
  if (cadences.includes('alert')) rules.push({ cadence: 'alert', maxPerDay })
  return {
    ...rest,
    tags: [...new Set([...form.tags, ...moreTags])],
    blocks: form.blocks.map(toBlock),
    cadences: rules,
    subject: form.subject || null,
    replyTo: form.replyTo || null,
    welcome: form.welcome || null,
    linkTags: form.linkTags !== undefined,
    from: form.from === undefined ? undefined : form.from || null,
  } satisfies NewsletterChange
}

type Block = NonNullable<NewsletterChange['blocks']>[number]

/** `lead`, `section culture`, `dossier le-port`, `most-read`; what is none of them the service refuses. */
function toBlock(value: string): Block {
  const [kind, slug] = value.split(' ')
  return { kind, ...(slug !== undefined && { slug }) } as Block
}
