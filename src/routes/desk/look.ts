import { z } from 'zod'
import { directionOf, languageTag } from '../../domain/language.ts'
import { accentOf } from '../../domain/accent.ts'
import { isPerLanguage, lookPictures, textFields, type Publication } from '../../domain/publication.ts'
import { framed, get, postForm, type DeskCall, type DeskRoute, type FormAtFault } from '../../http/desk.ts'
import { formVersion, requireFormVersion } from '../../http/form-version.ts'
import { accent, textInputs } from '../../services/desk/publication-input.ts'
import type { Services } from '../../services/services.ts'
import { takePicture, withPictures } from './pictures.ts'

/** Lists in a box of text: a line each, `Publicité : pub@rivage.example`. */
const lists = { contacts: ['role', 'email'], legalLinks: ['label', 'url'] } as const
type List = keyof typeof lists

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')

const rowsOf = (list: List, text: string): object[] =>
  linesOf(text).map((line) => {
    const [label, value] = lists[list]
    const [start = '', ...rest] = line.split(':')
    return { [label]: start.trim(), [value]: rest.join(':').trim() }
  })

/** The first line that is not as the others should be. */
function findWrongLine(list: List, text: string): string | undefined {
  const place = textInputs[list].safeParse(rowsOf(list, text)).error?.issues[0]?.path[0]
  return typeof place === 'number' ? linesOf(text)[place]?.trim() : undefined
}

const asLines = (list: List): z.ZodType<unknown, string> =>
  z
    .string()
    .max(10_000)
    .transform((text) => rowsOf(list, text))
    .refine((rows) => textInputs[list].safeParse(rows).success)

const inputs: Record<(typeof textFields)[number], z.ZodType<unknown, string | null>> = {
  ...textInputs,
  contacts: asLines('contacts'),
  legalLinks: asLines('legalLinks'),
}
const previewPath = z.object({ part: z.enum(['page', 'mail']) })
const previewQuery = z.object({ language: z.string().regex(languageTag) })

const pictureFields = z.object(
  Object.fromEntries(
    lookPictures.flatMap((name) =>
      [`${name}Url`, `${name}Gone`].map((field) => [field, z.string().max(2_000).optional()] as const),
    ),
  ),
)

/** How the newsroom presents itself on pages, in mails and in feeds. */
export function lookDesk({ media, publication, site }: Services): DeskRoute[] {
  const show = async ({ page }: DeskCall, more: Partial<FormAtFault> = {}) => {
    const stored = await publication.get()
    page('desk/look', {
      accent: stored.accent,
      version: formVersion(shownOf(stored), more),
      pictures: lookPictures.map((name) => ({ name, url: stored[name]?.url })),
      made: stored.accent === null ? undefined : accentOf(stored.accent),
      tongues: listTongues(stored, more.typed),
      previews: ['ltr', 'rtl'].flatMap(
        (direction) => stored.languages.find((tag) => directionOf(tag) === direction) ?? [],
      ),
      ...more,
    })
  }
  const takePictures = async (call: DeskCall) => {
    const body = call.request.body as Record<string, unknown>
    for (const name of lookPictures) {
      const picture = await takePicture(call, name, media)
      if (picture) body[`${name}Url`] = picture.url
    }
  }
  return [
    get('/look', 'viewer', (call) => show(call)),
    withPictures(
      postForm('/look', 'admin', show, async ({ request, actor, redirect }) => {
        const stored = await publication.get()
        requireFormVersion(request.body, shownOf(stored))
        await publication.set(readForm(request.body, stored), actor)
        redirect('/look', 'saved')
      }),
      takePictures,
    ),
    get('/look/preview/:part', 'viewer', async ({ request, response, page }) => {
      const { part } = previewPath.parse(request.params)
      const { language } = previewQuery.parse(request.query)
      framed(response)
      if (part === 'mail') {
        response.type('html').send(await publication.previewMail(language))
        return
      }
      response.locals['sections'] = await site.navigation()
      const place = { publication: await publication.get(), language, pathLanguage: language }
      const front = await site.front(place, { others: false })
      page('front', { ...front, language, isPreview: true })
    }),
  ]
}

/** The fields of the form by language. Name, sentence, byline and address of the first stand in the settings. */
const listTongues = (stored: Publication, typed: FormAtFault['typed'] = {}) =>
  stored.languages.map((tag, n) => ({
    tag,
    isFirst: n === 0,
    fields: (n === 0 ? (['footer', 'contacts', 'legalLinks'] as const) : textFields).map((text) => {
      const own: unknown = stored[text]
      const name = `${text}.${tag}`
      const words = typed[name]
      const wrongLine =
        text in lists && typeof words === 'string' ? findWrongLine(text as List, words) : undefined
      return { text, name, value: isPerLanguage(own) ? own[tag] : n === 0 ? own : null, wrongLine }
    }),
  }))

/** What the form is filled from. */
const shownOf = (stored: Publication) => [
  stored.accent,
  lookPictures.map((name) => stored[name]?.url),
  listTongues(stored),
]

/** What is absent stays; an empty field leaves its language to the first. */
function readForm(body: unknown, stored: Publication): Partial<Publication> {
  const fields = listTongues(stored).flatMap(({ tag, fields }) =>
    fields.map(({ text, name }) => ({ tag, text, name })),
  )
  const ofText = ({ text }: (typeof fields)[number]) =>
    z
      .string()
      .trim()
      .pipe(z.union([z.literal(''), inputs[text]]) as z.ZodType<unknown, string>)
      .optional()
  const form = z.object({
    accent: z.union([z.literal(''), accent]),
    ...Object.fromEntries(fields.map((field) => [field.name, ofText(field)])),
  })
  const read = form.parse(body) as { accent: string } & Record<string, unknown>
  const change: Record<string, Record<string, unknown>> = {}
  for (const { tag, text, name } of fields) {
    if (read[name] !== undefined) change[text] = { ...change[text], [tag]: read[name] }
  }
  const given = pictureFields.parse(body)
  const pictures = lookPictures.flatMap((name) => {
    const url = given[`${name}Gone`] === undefined ? given[`${name}Url`] : ''
    return url === undefined ? [] : [[name, url === '' ? null : { url }] as const]
  })
  return { ...change, ...Object.fromEntries(pictures), accent: read.accent || null }
}
