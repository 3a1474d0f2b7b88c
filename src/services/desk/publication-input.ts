import { z } from 'zod'
import { feedTexts, links, switches } from '../../domain/publication.ts'
import { language } from '../articles/input.ts'
import { zone } from '../newsletters/input.ts'

const requiredText = (max: number) => z.string().trim().min(1).max(max)
const optionalText = (max: number) => z.string().trim().max(max).nullable()

/** Each in one language. */
export const textInputs = {
  name: requiredText(200),
  description: z.string().trim().max(1_000),
  deskName: requiredText(200),
  postalAddress: optionalText(500),
  footer: optionalText(1_000),
  contacts: z.array(z.strictObject({ role: requiredText(100), email: z.email() })).max(20),
  legalLinks: z
    .array(
      z.strictObject({ label: requiredText(100), url: z.url({ protocol: /^https?$/, normalize: true }) }),
    )
    .max(20),
}

/** One for all, or one per language: null or an empty text removes that language's. */
const perLanguage = <Text extends z.ZodType>(text: Text, what: string) =>
  z.union([text, z.record(language, z.union([text, z.literal(''), z.null()]))], {
    error: `must be ${what}, or one per language: {"fr": …, "ar": …}`,
  })

export const accent = z
  .string()
  .regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #9d1f19')
  .toLowerCase()

const picture = z
  .strictObject({ url: z.string().max(2_000), width: z.int().optional(), height: z.int().optional() })
  .nullable()

export const publicationInput = z.strictObject({
  name: perLanguage(textInputs.name, 'a name of 1 to 200 characters'),
  description: perLanguage(textInputs.description, 'a text of at most 1,000 characters'),
  deskName: perLanguage(textInputs.deskName, 'a name of 1 to 200 characters'),
  postalAddress: perLanguage(textInputs.postalAddress, 'null or a text of at most 500 characters'),
  footer: perLanguage(textInputs.footer, 'null or a text of at most 1,000 characters'),
  contacts: perLanguage(textInputs.contacts, 'at most 20 of {"role", "email"}'),
  legalLinks: perLanguage(
    textInputs.legalLinks,
    'at most 20 of {"label", "url"}, each an http or https address',
  ),
  languages: z.array(language).min(1).max(20),
  zone,
  locales: z.record(language, language),
  contactEmail: z.email().nullable(),
  policyUrl: z.url({ protocol: /^https?$/, normalize: true }).nullable(),
  policyVersion: requiredText(50),
  ambiguousPolicy: z.enum(['resend_once', 'hold']),
  links: z.enum(links, 'must be here or canonical'),
  feedText: z.enum(feedTexts, 'must be full or summary').nullable(),
  responses: z.enum(switches, 'must be off or on').describe('Readers may respond under open articles'),
  trackbacks: z
    .enum(switches, 'must be off or on')
    .describe('Other sites may tell that they link to open articles'),
  accent: accent.nullable(),
  logo: picture.describe('The `url` of a picture that was uploaded'),
  logoDark: picture.describe('The same for dark grounds'),
  icon: picture.describe('The same, square'),
})
