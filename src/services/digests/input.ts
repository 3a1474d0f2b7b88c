import { z } from 'zod'
import { digestKinds } from '../../domain/digests/digest.ts'
import { cadences } from '../../domain/newsletter.ts'
import { line } from '../newsletters/input.ts'

/** The bodies that compose and change a digest. */

const externalIds = z.array(z.string().min(1).max(200)).max(100)

/** What is absent is left to the newsletter's rules, of a letter left out. */
export const composeInput = z.strictObject({
  kind: z.enum(digestKinds).optional().describe('A letter goes to all who are subscribed; default: digest'),
  cadence: z.enum(cadences).optional(),
  articles: externalIds.optional().describe('External ids: an explicit choice, in order'),
  pinned: externalIds.optional().describe('External ids: first, in order'),
  excluded: externalIds.optional().describe('External ids: not in this newsletter'),
  intro: z.string().max(5_000).optional(),
  subject: line(300).optional(),
})

/** What is absent stays. */
export const changeInput = z.strictObject({
  articles: externalIds
    .nullable()
    .optional()
    .describe('An explicit choice, in order; null goes back to the rules'),
  pinned: externalIds.optional(),
  excluded: externalIds.optional(),
  intro: z.string().max(5_000).optional(),
  subject: line(300).nullable().optional(),
  preheader: line(300).nullable().optional(),
})

/** A test copy goes to people of the desk alone. */
export const testInput = z.strictObject({
  to: z
    .array(z.email().max(254))
    .min(1)
    .max(20)
    .optional()
    .describe('Default: you, or all of the desk for a key'),
})

export type ComposeInput = z.output<typeof composeInput>
export type ChangeInput = z.output<typeof changeInput>
