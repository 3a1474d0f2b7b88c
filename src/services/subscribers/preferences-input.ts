import { z } from 'zod'
import { interfaceLanguages, type InterfaceLanguage } from '../../domain/language.ts'
import { cadences, type Cadence } from '../../domain/newsletter.ts'

/** What the centre's form asks for. A newsletter that is not named is left. */
export interface PreferencesInput {
  language: InterfaceLanguage
  newsletters: { slug: string; cadence: Cadence; alerts: boolean; sections: string[] }[]
  /** Undefined ends a pause. */
  pausedUntil: Date | undefined
}

const text = z.string().max(200)
const listed = z.union([text, z.array(text).max(200)])
const form = z.record(text, listed)
const day = z.object({ pausedUntil: z.union([z.literal(''), z.iso.date()]).default('') })

/** One form holds all newsletters: `newsletters`, then `cadence.{slug}`, `alerts.{slug}`, `sections.{slug}`. */
export function readPreferencesForm(body: unknown): PreferencesInput {
  const fields = form.parse(body)
  const all = (name: string): string[] => [fields[name] ?? []].flat()
  return {
    language: z.enum(interfaceLanguages).parse(all('language')[0]),
    newsletters: all('newsletters').map((slug) => ({
      slug,
      cadence: z
        .enum(cadences)
        .catch('daily')
        .parse(all(`cadence.${slug}`)[0]),
      alerts: all(`alerts.${slug}`).length > 0,
      sections: all(`sections.${slug}`),
    })),
    pausedUntil: dateOf(day.parse({ pausedUntil: all('pausedUntil')[0] }).pausedUntil),
  }
}

/** Until the end of that day in UTC. */
const dateOf = (value: string): Date | undefined =>
  value === '' ? undefined : new Date(`${value}T23:59:59Z`)
