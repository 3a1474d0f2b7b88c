import { z } from 'zod'
import { isZone } from '../../domain/calendar.ts'
import { newsletterStates } from '../../domain/newsletter.ts'
import { language } from '../articles/input.ts'

/** The bodies that create and change a newsletter: they validate, and they describe the API. */

const slug = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{N}]+(?:[-_][\p{L}\p{N}]+)*$/u, {
    error: 'must be words of letters and digits joined by hyphens, such as le-matin',
  })
const slugs = z.array(slug).max(100)

const time = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a local time, such as 07:00' })
const zoneError = { error: 'must be an IANA time zone, such as Africa/Algiers', abort: true }
export const zone = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, zoneError)
  .refine(isZone, zoneError)
  .meta({ examples: ['Africa/Algiers'] })

const cadence = z.discriminatedUnion('cadence', [
  z.strictObject({ cadence: z.literal('daily'), time, zone }),
  z.strictObject({ cadence: z.literal('weekly'), weekday: z.int().min(1).max(7), time, zone }),
  z.strictObject({ cadence: z.literal('alert'), maxPerDay: z.int().min(1).max(50).optional() }),
])

const date = z.iso.date({ error: 'must be a date, such as 2026-12-25' })
/** In order, for one list of days or times to be one text; each once. */
const ordered = <Item extends string | number>(item: z.ZodType<Item, Item>, max: number) =>
  z
    .array(item)
    .max(max)
    .refine((items) => new Set(items).size === items.length, { error: 'must name each once' })
    .meta({ uniqueItems: true })
    .transform((items) => [...items].sort())
const weekday = z.int().min(1).max(7)
export const weekdays = ordered(weekday, 7)
  .refine((days) => days.length > 0, { error: 'must name at least one weekday: 1 is Monday' })
  .default([1, 2, 3, 4, 5, 6, 7])
export const times = ordered(time, 6).refine((all) => all.length > 0, {
  error: 'must name at least one local time',
})
export const skip = ordered(date, 366)
const when = { zone, skip: skip.default([]) }
const mostWeeks = 5
export const ofMonth = z.literal([1, 2, 3, 4, 'last'], { error: 'must be 1, 2, 3, 4 or last' })

const schedule = z.discriminatedUnion('cadence', [
  z.strictObject({
    cadence: z.literal('daily'),
    weekdays,
    times,
    ...when,
  }),
  z
    .strictObject({
      cadence: z.literal('weekly'),
      weekday,
      time,
      every: z
        .int()
        .min(1)
        .max(mostWeeks, { error: `must be at most ${mostWeeks}: no digest looks back any further` })
        .default(1),
      anchor: date.nullable().default(null),
      ofMonth: ofMonth.nullable().default(null),
      ...when,
    })
    .refine(({ every, anchor }) => every === 1 || anchor !== null, {
      error: 'must be a date of one of the weeks in which it goes out',
      path: ['anchor'],
    })
    .refine(({ every, ofMonth }) => every === 1 || ofMonth === null, {
      error: 'is of every month: leave out every, or ofMonth',
      path: ['ofMonth'],
    }),
])

const eachOnce = (rules: { cadence: string }[]) =>
  new Set(rules.map((rule) => rule.cadence)).size === rules.length
const onceError = { error: 'must name each cadence once' }

const block = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('lead') }),
  z.strictObject({ kind: z.literal('section'), slug }),
  z.strictObject({ kind: z.literal('dossier'), slug }),
  z.strictObject({ kind: z.literal('picks'), slug }),
  z.strictObject({ kind: z.literal('most-read') }),
])

/** One line: what stands in a header must not hold a line break. Its pattern is one that every language reads. */
export const oneLine = z
  .string()
  .trim()
  .refine((text) => !/\p{Cc}/u.test(text), { error: 'must be one line without control characters' })
export const line = (max: number) =>
  oneLine
    .min(1)
    .max(max)
    .meta({ pattern: '^\\s*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*\\s*$' })

const fields = {
  name: line(200),
  description: z.string().max(2_000),
  language,
  sections: slugs,
  dossiers: slugs,
  tags: slugs,
  blocks: z.array(block).max(50),
  minArticles: z.int().min(1).max(100),
  maxArticles: z.int().min(1).max(100),
  subject: line(300).nullable(),
  approval: z.enum(['none', 'one', 'four-eyes']),
  repeats: z.enum(['never', 'within-newsletter']),
  cadences: z.array(cadence).max(3).refine(eachOnce, onceError),
  schedules: z.array(schedule).max(2).refine(eachOnce, onceError),
  from: line(320).nullable(),
  replyTo: z.email().max(254).nullable(),
  welcome: z.string().trim().min(1).max(5_000).nullable(),
  template: z.enum(['digest', 'brief']),
  linkTags: z.boolean(),
  state: z.enum(newsletterStates),
  position: z.int32(),
}

export const newsletterInput = z.strictObject({
  slug,
  name: fields.name,
  description: fields.description.default(''),
  language: fields.language,
  sections: fields.sections.default([]),
  dossiers: fields.dossiers.default([]),
  tags: fields.tags.default([]),
  blocks: fields.blocks.default([]),
  minArticles: fields.minArticles.default(1),
  maxArticles: fields.maxArticles.default(12),
  subject: fields.subject.default(null),
  approval: fields.approval.default('none'),
  repeats: fields.repeats.default('never'),
  cadences: fields.cadences.default([]),
  schedules: fields.schedules.optional(),
  from: fields.from.default(null),
  replyTo: fields.replyTo.default(null),
  welcome: fields.welcome.default(null),
  template: fields.template.default('digest'),
  linkTags: fields.linkTags.default(false),
  state: fields.state.default('public'),
  position: fields.position.default(0),
})

/** The slug is part of public URLs and stays. */
export const newsletterChange = z.strictObject(fields).partial()

export type NewsletterInput = z.input<typeof newsletterInput>
export type NewsletterChange = z.input<typeof newsletterChange>
