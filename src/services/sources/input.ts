import { z } from 'zod'
import { feedTexts, links } from '../../domain/publication.ts'
import { sourceAnswers, sourceKinds } from '../../domain/sources/source.ts'
import { time } from '../articles/input.ts'

/** The bodies that add and change sources. */

export const sourceAddress = z.string().trim().min(1).max(2_000).describe('Of the site or of its feed')

const settings = {
  language: z.string().max(35).nullish().describe('Of all that it brings; else each article says its own'),
  since: time.nullish().describe('Nothing that the site dates earlier is taken; else all is'),
  links: z.enum(links).nullish().describe('Where links to its articles lead, if not as elsewhere'),
  feedText: z.enum(feedTexts).nullish().describe('How much feeds and mails show of its articles'),
}

export const sourceInput = z.strictObject({
  address: sourceAddress,
  kind: z.enum(sourceKinds).optional().describe('`feed`: also where there is more to follow'),
  ...settings,
})
export const sourceChange = z.strictObject(settings)
export const sourceAnswer = z.strictObject({ answer: z.enum(sourceAnswers) })
export const restoreInput = z.strictObject({
  items: z
    .array(z.string().max(100))
    .max(200)
    .optional()
    .describe('Remote ids; else what was withdrawn in the last day'),
})

export type SourceInput = z.output<typeof sourceInput>
export type SourceChange = z.output<typeof sourceChange>
