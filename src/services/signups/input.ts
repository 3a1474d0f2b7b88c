import { z } from 'zod'
import { interfaceLanguages } from '../../domain/language.ts'
import { cadences } from '../../domain/newsletter.ts'

/** One value or several, as forms and JSON write them. */
const slugs = z
  .union([z.string().max(100), z.array(z.string().max(100)).max(100)])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .transform((values) => [...new Set(values.map((value) => value.trim()).filter(Boolean))])

const flag = z
  .union([z.boolean(), z.enum(['on', 'true', '1', 'off', 'false', '0', ''])])
  .transform((value) => value === true || value === 'on' || value === 'true' || value === '1')

/** A signup, by form or JSON: what the public calls and the API share. */
export const signupInput = z.strictObject({
  email: z.string({ error: 'must be an e-mail address' }),
  newsletters: slugs.optional(),
  cadence: z.enum(cadences).optional(),
  alerts: flag.default(false),
  sections: slugs.default([]),
  language: z.enum(interfaceLanguages).optional(),
  /** Which form it was: `page`, `box`, `embed` … */
  form: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, { error: 'must be letters, digits and hyphens' })
    .optional(),
  /** No person sees this field; machines fill it in. */
  website: z.string().max(1_000).optional(),
  /** When and by whom the form was made, sealed. */
  stamp: z.string().max(200).optional(),
})

export type SignupInput = z.output<typeof signupInput>

/** Who sent a request, as far as a consent record keeps it. */
export interface Visitor {
  /** Truncated: the /24 of IPv4, the /48 of IPv6. */
  ipPrefix: string | undefined
  userAgent: string | undefined
  /** The secret of the browser's cookie. */
  browser: string | undefined
  /** The language of the page it came from. */
  language: string
}

/** Somebody of the desk typed it: nothing is known of the reader's browser. */
export const byDesk = (language: string): Visitor => ({
  ipPrefix: undefined,
  userAgent: undefined,
  browser: undefined,
  language,
})
