import { z } from 'zod'
import { cadencesOf, newsletterStates, type Newsletter, type Schedule } from '../../domain/newsletter.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { asciiDigits } from '../../domain/text.ts'
import { listOf } from '../../http/form-fields.ts'
import { ofMonth, skip, times, weekdays, type NewsletterChange } from '../../services/newsletters/input.ts'

const text = z.string().trim().max(2_000)
const rank = z.coerce.number().int()
const chosen = z.preprocess(listOf, z.array(text))
/** As one would write them: on lines, or with commas. */
const written = z
  .string()
  .max(5_000)
  .transform((value) =>
    asciiDigits(value)
      .split(/[\s,،;]/)
      .filter(Boolean),
  )
/** `6:30`, `6h30` and `6h` are written for `06:30` and `06:00`. */
const toTime = (value: string): string =>
  value.replace(
    /^(\d{1,2})(?:[:hH.](\d\d)|[hH])$/,
    (_, hours: string, minutes = '00') => `${hours.padStart(2, '0')}:${minutes}`,
  )
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
  weekdays: z.preprocess((value) => (value === undefined ? value : listOf(value).map(Number)), weekdays),
  times: written
    .default(['07:00'])
    .transform((all) => all.map(toTime))
    .pipe(times),
  dailySkip: written.default([]).pipe(skip),
  weekday: rank.default(1),
  time: text.default('07:00'),
  rhythm: z.enum(['week', 'weeks', 'month']).default('week'),
  every: rank.min(1).max(5).default(2),
  anchor: text.default(''),
  ofMonth: z.preprocess((value) => (value === 'last' ? value : Number(value ?? 1)), ofMonth),
  weeklySkip: written.default([]).pipe(skip),
  zone: text,
  maxPerDay: rank.default(3),
})

/** What stands in the form, under the names of its fields. */
export type NewsletterForm = Record<(typeof lists)[number], string[]> & Record<string, unknown>

const lists = ['sections', 'dossiers', 'tags', 'blocks', 'cadences', 'weekdays'] as const

/** Of a newsletter to come. */
export const blankForm = (zone: string): NewsletterForm => ({
  sections: [],
  dossiers: [],
  tags: [],
  blocks: [],
  cadences: ['daily'],
  weekdays: ['1', '2', '3', '4', '5', '6', '7'],
  minArticles: 1,
  maxArticles: 12,
  times: '07:00',
  time: '07:00',
  rhythm: 'week',
  every: 2,
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
  for (const rule of newsletter.cadences)
    if (rule.cadence === 'alert') form['maxPerDay'] = rule.maxPerDay ?? form['maxPerDay']
  return Object.assign(form, ...newsletter.schedules.map(fieldsOf)) as NewsletterForm
}

function fieldsOf(schedule: Schedule) {
  const { zone, skip } = schedule
  const dates = skip.join('\n')
  if (schedule.cadence === 'daily')
    return {
      zone,
      weekdays: schedule.weekdays.map(String),
      times: schedule.times.join(', '),
      dailySkip: dates,
    }
  const { weekday, time, every, anchor, ofMonth } = schedule
  const rhythm = ofMonth ? 'month' : every > 1 ? 'weeks' : 'week'
  return { zone, weekday, time, rhythm, every: every > 1 ? every : 2, anchor, ofMonth, weeklySkip: dates }
}

/** As it was sent, right or wrong. */
export function typedForm(body: unknown): NewsletterForm {
  const fields = body as Record<string, unknown>
  const listed = Object.fromEntries(lists.map((name) => [name, listOf(fields[name])]))
  return { ...fields, ...listed, weekday: Number(fields['weekday']) } as unknown as NewsletterForm
}

/** @throws ZodError */
export function toChange(body: unknown, before?: Newsletter) {
  const form = schema
    .refine(({ state, confirmEnd }) => state !== 'ended' || before?.state === 'ended' || confirmEnd, {
      path: ['confirmEnd'],
    })
    .parse(body)
  const { zone, cadences, maxPerDay, moreTags, confirmEnd: _, ...others } = form
  const { weekdays, times, dailySkip, weekday, time, rhythm, every, anchor, ofMonth, weeklySkip, ...rest } =
    others
  const schedules: Schedule[] = []
  if (cadences.includes('daily')) schedules.push({ cadence: 'daily', weekdays, times, zone, skip: dailySkip })
  if (cadences.includes('weekly'))
    schedules.push({
      cadence: 'weekly',
      weekday,
      time,
      every: rhythm === 'weeks' ? every : 1,
      anchor: rhythm === 'weeks' ? anchor : null,
      ofMonth: rhythm === 'month' ? ofMonth : null,
      zone,
      skip: weeklySkip,
    })
  return {
    ...rest,
    schedules,
    tags: [...new Set([...form.tags, ...moreTags])],
    blocks: form.blocks.map(toBlock),
    cadences: cadencesOf(schedules, cadences.includes('alert') ? [{ cadence: 'alert', maxPerDay }] : []),
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
