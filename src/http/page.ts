import { fileURLToPath } from 'node:url'
import type { Response } from 'express'
import { Liquid } from 'liquidjs'
import { clock, dateFormat, numberFormat } from '../domain/formats.ts'
import { directionOf, languageName, localeOf } from '../domain/language.ts'
import { dateIn } from '../domain/calendar.ts'
import { nameOf, selectionPath, type Selection } from '../domain/articles/article.ts'
import { currentPath, type MovedPaths } from '../domain/feeds/feed.ts'
import type { Schedule } from '../domain/newsletter.ts'
import { publicationIn, type Publication } from '../domain/publication.ts'
import { interfaceLanguageOf, scheduleInWords, translate, zoneInWords } from '../locales.ts'
import { assetUrl } from './assets.ts'
import { sendPage } from './shared-page.ts'

export interface PageRenderer {
  /** Renders `templates/pages/{name}.liquid` in the page's language and sends it as UTF-8 HTML. */
  send(response: Response, name: string, data?: Record<string, unknown>): void
}

const templates = fileURLToPath(new URL('../../templates/', import.meta.url))

/**
 * Liquid with everything escaped on output. Every page has `language`, `direction`, `locale`, `zone`, `publicUrl`, `hasEditions`, `publication`;
 * `{{ 'site.most_read' | t: count: 3 }}` translates, `| date_long`, `| number` format for the page's locale; a date takes another
 * language: `| date_long: card.language`.
 */
export function createPageRenderer(options: { publicUrl: string; hasEditions?: boolean }): PageRenderer {
  const liquid = new Liquid({
    root: [`${templates}pages`, `${templates}partials`],
    extname: '.liquid',
    outputEscape: 'escape',
    strictFilters: true,
    strictVariables: false,
    ownPropertyOnly: true,
    cache: true,
  })
  registerFilters(liquid)

  const render = (name: string, data: Record<string, unknown>) =>
    liquid.renderFileSync(name, { ...options, ...data }, { globals: { told: [] } }) as string
  return {
    send(response, name, data = {}) {
      const locals = response.locals as PageLocals
      // A page about an article or a subscriber is in their language, not in the one the request asked for.
      const language = (data['language'] as string | undefined) ?? locals.language ?? 'en'
      const html = render(name, {
        ...locals,
        publication: locals.publication && publicationIn(locals.publication, language),
        interfaceLanguage: interfaceLanguageOf(language),
        // What the newsroom speaks, of the languages that personal mails are written in.
        tongues: [...new Set((locals.publication?.languages ?? []).map(interfaceLanguageOf))],
        direction: directionOf(language),
        locale: localeOf(locals.publication ?? { locales: {} }, language),
        zone: locals.publication?.zone ?? 'UTC',
        base: baseOf(locals.publication, language),
        navigation: locals.sections?.map((section) => ({
          name: nameOf(section, language),
          path: selectionPath(section),
        })),
        ...data,
        language,
      })
      sendPage(response, html)
    },
  }
}

/** What stands before the path of a selection, so that a reader stays in the page's language. */
const baseOf = (publication: Publication | undefined, language: string): string =>
  publication && publication.languages.length > 1 && publication.languages.includes(language)
    ? `/${language}`
    : ''

/** What middleware leaves in `response.locals` for every page. */
export interface PageLocals {
  language?: string
  publication?: Publication | undefined
  /** Of the page's head, in the publication's order. */
  sections?: Selection[]
  movedFeeds?: MovedPaths
}

interface Scope extends PageLocals {
  told?: { name: string; sentence: string }[]
  locale?: string
  zone?: string
}

function registerFilters(liquid: Liquid): void {
  const scopeOf = (filter: { context: { getAll(): object } }) => filter.context.getAll() as Scope

  liquid.registerFilter('t', function (key: string, ...pairs: [string, string | number][]) {
    return translate(interfaceLanguageOf(scopeOf(this).language ?? 'en'), key, Object.fromEntries(pairs))
  })
  liquid.registerFilter('number', function (value: number) {
    return numberFormat(scopeOf(this).locale).format(value)
  })
  liquid.registerFilter('duration', function (seconds: number) {
    const [unit, n] =
      seconds < 90 * 60
        ? // Whoever comes back too early is sent away again.
          ['minute', Math.ceil(seconds / 60)]
        : seconds < 48 * 3_600
          ? ['hour', seconds / 3_600]
          : ['day', seconds / 86_400]
    return numberFormat(scopeOf(this).locale, { style: 'unit', unit, unitDisplay: 'long' }).format(
      Math.round(n),
    )
  })
  liquid.registerFilter('percent', function (value: number) {
    return numberFormat(scopeOf(this).locale, { style: 'percent' }).format(value)
  })
  const dateFilter = (style: Intl.DateTimeFormatOptions) =>
    function (
      this: { context: { getAll(): object } },
      value: string | Date | undefined,
      inLanguage?: string,
    ) {
      const { locale, zone, publication } = scopeOf(this)
      const chosen = inLanguage === undefined ? locale : localeOf(publication ?? { locales: {} }, inLanguage)
      // A day, such as 2026-03-14, is the same in every zone.
      const isDay = typeof value === 'string' && value.length === 10
      const format = dateFormat(chosen, { ...style, timeZone: (!isDay && zone) || 'UTC' })
      return value === undefined ? '' : format.format(dateOf(value))
    }
  liquid.registerFilter('date_full', dateFilter({ dateStyle: 'full' }))
  liquid.registerFilter('date_long', dateFilter({ dateStyle: 'long' }))
  liquid.registerFilter('date_time', dateFilter({ dateStyle: 'long', ...clock }))
  liquid.registerFilter('time_short', dateFilter(clock))
  liquid.registerFilter('zone_name', function (zone: string) {
    return zoneInWords(zone, scopeOf(this).locale)
  })
  liquid.registerFilter('in_words', function (schedule: Schedule) {
    const { language = 'en', locale } = scopeOf(this)
    const today = dateIn(schedule.zone, new Date())
    return scheduleInWords(interfaceLanguageOf(language), schedule, { today, ...(locale && { locale }) })
  })
  liquid.registerFilter('selection_name', function (selection: Selection) {
    return nameOf(selection, scopeOf(this).language ?? 'en')
  })
  // What is said at a field stands at the top of the page too.
  liquid.registerFilter('tell', function (sentence: string, name: string) {
    scopeOf(this).told?.push({ name, sentence })
    return sentence
  })
  liquid.registerFilter('asset', assetUrl)
  // Where the feed of a path is now; empty where it has ended.
  liquid.registerFilter('feed', function (path: string) {
    return currentPath(scopeOf(this).movedFeeds ?? new Map(), path)
  })
  liquid.registerFilter('language_name', capitalizedLanguageName)
  liquid.registerFilter('direction', directionOf)
  liquid.registerFilter('iso', (value: string | Date) => dateOf(value).toISOString())
  liquid.registerFilter('iso_day', function (value: string | Date) {
    return dateIn(scopeOf(this).zone ?? 'UTC', dateOf(value))
  })
  // RFC 6068: a line of a mailto body ends with CR LF.
  liquid.registerFilter('uri', (value: string) => encodeURIComponent(value.replace(/\r?\n/g, '\r\n')))
}

const dateOf = (value: string | Date): Date => (value === 'now' ? new Date() : new Date(value))

/** As a list or a menu shows it: "Français". */
function capitalizedLanguageName(tag: string): string {
  const name = languageName(tag)
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1)
}
