import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Liquid, type Template } from 'liquidjs'
import { accentOf } from '../../domain/accent.ts'
import { numberFormat } from '../../domain/formats.ts'
import { atSize } from '../../domain/media.ts'
import type { LookPicture, Publication } from '../../domain/publication.ts'
import { askProcess } from '../../isolation.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { Compiled } from './compile-process.ts'

/** One kind of mail, ready to be filled; the same for every language of one direction. */
export interface MailTemplate {
  html(data: TemplateData): string
  text(data: TemplateData): string
}

/** `language` chooses the texts, `locale` the digits. */
export type TemplateData = Record<string, unknown> & { language: string; locale: string }

export type MailTemplates = Record<TemplateName, Record<'ltr' | 'rtl', MailTemplate>>

const names = ['digest', 'brief', 'personal'] as const
type TemplateName = (typeof names)[number]
const directions = ['ltr', 'rtl'] as const
const root = fileURLToPath(new URL('../../../templates/mail/', import.meta.url))

/** What the layout needs to know of a direction. Arabic has no capitals, no letter spacing, and needs more air. */
const layouts = {
  ltr: {
    dir: 'ltr',
    start: 'left',
    sans: "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    serif: "Georgia, 'Times New Roman', serif",
    leading: '1.55',
    narrow: '1.3',
    headline: '1.25',
    tight: '-0.5px',
    wide: '1px',
    label: '14px',
    case: 'uppercase',
  },
  rtl: {
    dir: 'rtl',
    start: 'right',
    sans: "'Segoe UI', 'Geeza Pro', Tahoma, 'Noto Sans Arabic', Arial, sans-serif",
    serif: "'Geeza Pro', 'Sakkal Majalla', 'Noto Naskh Arabic', 'Noto Sans Arabic', Tahoma, serif",
    leading: '1.8',
    narrow: '1.5',
    headline: '1.5',
    tight: 'normal',
    wide: 'normal',
    label: '17px',
    case: 'none',
  },
} as const

/** Time and memory that a template may cost to compile: a runaway one stops the start, not the machine. */
const limits = { timeoutMs: 60_000, memoryMb: 256 }

/**
 * Reads and compiles the templates of `templates/mail`. Contents never pass through MJML: what is compiled is the
 * empty form, in which Liquid then sets each mail with everything escaped.
 * @throws Error naming the template and its line
 */
export async function loadTemplates(): Promise<MailTemplates> {
  const compiled = await compile(
    Object.fromEntries(
      names.flatMap((name) =>
        directions.map((direction) => [`${name} ${direction}`, readLayout(name, direction)]),
      ),
    ),
  )
  const htmlEngine = createEngine('html')
  const textEngine = createEngine('text')
  const read = (name: TemplateName, direction: 'ltr' | 'rtl'): MailTemplate => {
    const html = parse(htmlEngine, `${name}.mjml`, compiled.get(`${name} ${direction}`) ?? '')
    const text = parse(textEngine, `${name}.txt`, readText(name) + readText('newsroom'))
    return {
      html: (data) =>
        htmlEngine.renderSync(html, { ...data, ...lookOf(data['publication'] as Look) }) as string,
      text: (data) => tidy(textEngine.renderSync(text, data) as string),
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, { ltr: read(name, 'ltr'), rtl: read(name, 'rtl') }]),
  ) as MailTemplates
}

const readText = (name: string): string => readFileSync(`${root}${name}.txt`, 'utf8')

/** Our colours, as the layouts are written with them. */
const ownAccent = { light: '#9a1b1e', dark: '#ff9d8f' }

type Look = Partial<Pick<Publication, 'accent' | 'logo' | 'logoDark'>>

function lookOf(publication: Look) {
  const { accent, logo, logoDark } = publication
  return {
    accent: accent ? accentOf(accent) : ownAccent,
    logo: logo && fitLogo(logo),
    logoDark: logo && logoDark && fitLogo(logoDark),
  }
}

/** Twice as fine as it is set. */
function fitLogo({ url, width, height }: LookPicture): LookPicture {
  const part = Math.min(1, 240 / width, 64 / height)
  return {
    url: atSize(url, new URL(url).origin, 480),
    width: Math.round(width * part),
    height: Math.round(height * part),
  }
}

/** The layout with its direction filled in: `[[ … ]]` and `[% … %]` now, `{{ … }}` once there is a mail. */
function readLayout(name: TemplateName, direction: 'ltr' | 'rtl'): string {
  const engine = new Liquid({
    root: [root],
    outputDelimiterLeft: '[[',
    outputDelimiterRight: ']]',
    tagDelimiterLeft: '[%',
    tagDelimiterRight: '%]',
    strictVariables: true,
  })
  return engine.renderFileSync(`${name}.mjml`, layouts[direction]) as string
}

async function compile(sources: Record<string, string>): Promise<Map<string, string>> {
  const script = new URL('./compile-process.ts', import.meta.url)
  const compiled = await askProcess<Record<string, Compiled>>(script, sources, limits).catch(
    (error: unknown) => {
      const { timeoutMs, memoryMb } = limits
      const sentence = `templates/mail: not compiled; it may take ${timeoutMs / 1000} s and ${memoryMb} MB`
      throw new Error(sentence, { cause: error })
    },
  )
  return new Map(
    Object.entries(compiled).map(([name, result]) => {
      if ('fault' in result)
        throw new Error(`templates/mail/${name.replace(/ .*/, '')}.mjml: ${result.fault}`)
      return [name, withAccent(inDirection(name, dense(result.html)))]
    }),
  )
}

/**
 * Word, which sets mails for Outlook, takes a direction from attributes alone, and orders the cells of a table by its
 * own. It draws a line beside a cell that has both a direction and a padding: those that are padded have none, and
 * stand within one that has.
 */
const inDirection = (name: string, html: string): string =>
  name.endsWith('rtl')
    ? html
        .replace(/<table (?=align=|role=)|<div (?=style="font-family:)/g, '$&dir="rtl" ')
        .replaceAll('text-align:left;direction:rtl', 'text-align:right;direction:rtl')
    : html

/** MJML reads colours: what stands in their place comes after it. */
const withAccent = (html: string): string =>
  html.replaceAll(ownAccent.light, '{{ accent.light }}').replaceAll(ownAccent.dark, '{{ accent.dark }}')

/** Without the indentation between elements: half of what MJML makes, and a mail past 100 kB is clipped. */
const dense = (html: string): string =>
  html.replace(/(?<![ \t])[ \t]*\n\s*/g, '\n').replace(/([>}])\n(?=[<{])/g, '$1')

function parse(engine: Liquid, name: string, source: string): Template[] {
  try {
    return engine.parse(source)
  } catch (error) {
    throw new Error(`templates/mail/${name}: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    })
  }
}

function createEngine(form: 'html' | 'text'): Liquid {
  const engine = new Liquid({
    ...(form === 'html' && { outputEscape: 'escape' as const }),
    strictFilters: true,
    ownPropertyOnly: true,
  })
  engine.registerFilter('t', function (key: string, ...pairs: [string, unknown][]) {
    const { language } = this.context.environments as TemplateData
    return translate(interfaceLanguageOf(language), key, Object.fromEntries(pairs) as Record<string, string>)
  })
  engine.registerFilter('number', function (value: number) {
    return numberFormat((this.context.environments as TemplateData).locale).format(value)
  })
  engine.registerFilter('lines', {
    raw: true,
    handler: (text: string) => escapeHtml(text).replaceAll('\n', '<br>'),
  })
  return engine
}

/** As Liquid escapes it, for those who look for a text in the finished HTML. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
    .replaceAll("'", '&#39;')

const tidy = (text: string): string =>
  `${text
    .replace(/(?<![ \t])[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
