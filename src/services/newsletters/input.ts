import { z } from 'zod'

/** The bodies that create and change a newsletter: they validate, and they describe the API. */

const slug = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{N}]+(?:[-_][\p{L}\p{N}]+)*$/u, {
    error: 'must be words of letters and digits joined by hyphens, such as le-matin',
  })
const slugs = z.array(slug).max(100)

const language = z.string().refine(isLanguage, { error: 'must be a BCP 47 language tag, such as fr or ar' })
const time = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a local time, such as 07:00' })
const zone = z.string().refine(isZone, { error: 'must be an IANA time zone, such as Africa/Algiers' })

const cadence = z.discriminatedUnion('cadence', [
  z.strictObject({ cadence: z.literal('daily'), time, zone }),
  z.strictObject({ cadence: z.literal('weekly'), weekday: z.int().min(1).max(7), time, zone }),
  z.strictObject({ cadence: z.literal('alert'), maxPerDay: z.int().min(1).max(50).optional() }),
])

const block = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('lead') }),
  z.strictObject({ kind: z.literal('section'), slug }),
  z.strictObject({ kind: z.literal('dossier'), slug }),
  z.strictObject({ kind: z.literal('most-read') }),
])

/** One line: what stands in a header must not hold a line break. */
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, { error: 'must be one line without control characters' })

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
  cadences: z
    .array(cadence)
    .max(3)
    .refine((rules) => new Set(rules.map((rule) => rule.cadence)).size === rules.length, {
      error: 'must name each cadence once',
    }),
  from: line(320).nullable(),
  template: z.enum(['digest', 'brief']),
  position: z.int(),
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
  from: fields.from.default(null),
  template: fields.template.default('digest'),
  position: fields.position.default(0),
})

/** The slug is part of public URLs and stays. */
export const newsletterChange = z.strictObject(fields).partial()

export type NewsletterInput = z.input<typeof newsletterInput>
export type NewsletterChange = z.input<typeof newsletterChange>

function isZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return /^[A-Za-z]/.test(value)
  } catch {
    return false
  }
}

function isLanguage(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value)[0] === value
  } catch {
    return false
  }
}
