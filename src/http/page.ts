import { fileURLToPath } from 'node:url'
import type { Response } from 'express'
import { Liquid } from 'liquidjs'
import { directionOf, localeOf, type Publication } from '../domain/publication.ts'
import { interfaceLanguageOf, translate } from '../locales.ts'
import { assetUrl } from './assets.ts'

export interface PageRenderer {
  /** Renders `templates/pages/{name}.liquid` in the page's language and sends it as UTF-8 HTML. */
  send(response: Response, name: string, data?: Record<string, unknown>): void
  /** The same as text. */
  render(name: string, data: Record<string, unknown>): string
}

const templates = fileURLToPath(new URL('../../templates/', import.meta.url))

/**
 * Liquid with everything escaped on output. Every page has `language`, `direction`, `locale`, `zone`, `publicUrl`, `publication`;
 * `{{ 'site.most_read' | t: count: 3 }}` translates, `| date_long`, `| number` format for the page's locale.
 */
export function createPageRenderer(options: { publicUrl: string }): PageRenderer {
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
    liquid.renderFileSync(name, { publicUrl: options.publicUrl, ...data }) as string
  return {
    render,
    send(response, name, data = {}) {
      const locals = response.locals as PageLocals
      const language = locals.language ?? 'en'
      const html = render(name, {
        language,
        interfaceLanguage: interfaceLanguageOf(language),
        direction: directionOf(language),
        locale: localeOf(locals.publication ?? { locales: {} }, language),
        zone: locals.publication?.zone ?? 'UTC',
        ...locals,
        ...data,
      })
      response.type('html').send(html)
    },
  }
}

/** What middleware leaves in `response.locals` for every page. */
export interface PageLocals {
  language?: string
  publication?: Publication
}

interface Scope {
  language?: string
  interfaceLanguage?: string
  locale?: string
  zone?: string
}

function registerFilters(liquid: Liquid): void {
  const scopeOf = (filter: { context: { getAll(): object } }) => filter.context.getAll() as Scope

  liquid.registerFilter('t', function (key: string, ...pairs: [string, string | number][]) {
    return translate(interfaceLanguageOf(scopeOf(this).language ?? 'en'), key, Object.fromEntries(pairs))
  })
  liquid.registerFilter('number', function (value: number) {
    return new Intl.NumberFormat(scopeOf(this).locale).format(value)
  })
  const dateFilter = (style: Intl.DateTimeFormatOptions) =>
    function (this: { context: { getAll(): object } }, value: string | Date) {
      const { locale, zone } = scopeOf(this)
      return new Intl.DateTimeFormat(locale, { ...style, timeZone: zone ?? 'UTC' }).format(new Date(value))
    }
  liquid.registerFilter('date_long', dateFilter({ dateStyle: 'long' }))
  liquid.registerFilter('date_time', dateFilter({ dateStyle: 'long', timeStyle: 'short' }))
  liquid.registerFilter('time_short', dateFilter({ timeStyle: 'short' }))
  liquid.registerFilter('asset', assetUrl)
  liquid.registerFilter('language_name', languageNameOf)
  liquid.registerFilter('iso', (value: string | Date) => new Date(value).toISOString())
}

/** A language's name in itself: "Français", "العربية". */
function languageNameOf(tag: string): string {
  const name = new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1)
}
