import { z } from 'zod'
import { slugOf } from '../../domain/articles/slug.ts'
import { get, postForm, type DeskCall, type DeskRoute, type FormAtFault } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'

const kinds = ['section', 'dossier'] as const
const kindPath = z.object({ kind: z.enum(kinds) })
const path = kindPath.extend({ slug: z.string().max(200) })
const anyPath = path.extend({ kind: z.enum([...kinds, 'tag']) })
const tagQuery = z.object({ name: z.string().max(200).default('') })
const slugForm = z.object({ slug: z.string().trim().max(200).transform(slugOf).pipe(z.string().min(1)) })
const mergeForm = z.object({ into: z.string().trim().min(1).max(200), sure: z.literal('yes') })
/** What is new here has its address by its name: one without a letter or a digit would have none. */
export const newForm = z.object({
  name: z
    .string()
    .trim()
    .max(200)
    .refine((name) => slugOf(name) !== ''),
})
const form = z.object({
  position: z.coerce.number().int().min(0).max(100_000),
  listed: z.string().optional(),
})

/** Sections and dossiers: their names, their order, which stand in the menu; another slug, and one of two, of tags too. */
export function sectionsDesk({ selections, publication }: Services): DeskRoute[] {
  const show = async ({ page }: DeskCall, more: object = {}) => {
    const { languages } = await publication.get()
    const groups = await Promise.all(
      kinds.map(async (kind) => ({ kind, selections: await selections.list(kind) })),
    )
    page('desk/sections', { groups, languages, tags: await selections.listTags(), ...more })
  }
  const showOne = async ({ request, page }: DeskCall, more: object = {}) => {
    const { kind, slug } = anyPath.parse(request.params)
    const { selection, uses } = await selections.getWithUses(kind, slug)
    const all = kind === 'tag' ? [] : await selections.list(kind)
    page('desk/selection', {
      kind,
      selection,
      uses,
      others: all.filter(({ id }) => id !== selection.id),
      ...more,
    })
  }
  const showNew = (call: DeskCall, refused: FormAtFault) =>
    show(call, { newOf: kindPath.parse(call.request.params).kind, ...refused })
  const showListed = (call: DeskCall, refused: FormAtFault) =>
    show(call, { at: path.parse(call.request.params).slug, ...refused })
  return [
    get('/sections', 'viewer', (call) => show(call)),
    postForm('/sections/:kind', 'editor', showNew, async ({ request, actor, redirect }) => {
      const { kind } = kindPath.parse(request.params)
      const { name } = newForm.parse(request.body)
      const [language = 'fr'] = (await publication.get()).languages
      await selections.create(kind, { slug: slugOf(name), names: { [language]: name } }, actor)
      redirect('/sections', 'saved')
    }),
    get('/sections/tag', 'viewer', ({ request, redirect }) => {
      const slug = slugOf(tagQuery.parse(request.query).name)
      // Without one the address would be this one again.
      redirect(slug === '' ? '/sections' : `/sections/tag/${encodeURIComponent(slug)}`)
    }),
    get('/sections/:kind/:slug', 'viewer', (call) => showOne(call)),
    postForm('/sections/:kind/:slug/rename', 'editor', showOne, async (call) => {
      const { kind, slug } = anyPath.parse(call.request.params)
      const changed = await selections.change(kind, slug, slugForm.parse(call.request.body), call.actor)
      call.redirect(`/sections/${kind}/${encodeURIComponent(changed.slug)}`, 'saved')
    }),
    postForm('/sections/:kind/:slug/merge', 'editor', showOne, async (call) => {
      const { kind, slug } = anyPath.parse(call.request.params)
      const { into } = mergeForm.parse(call.request.body)
      const kept = await selections.merge(kind, slug, kind === 'tag' ? slugOf(into) : into, call.actor)
      call.redirect(`/sections/${kind}/${encodeURIComponent(kept.slug)}`, 'selection-merged')
    }),
    postForm('/sections/:kind/:slug', 'editor', showListed, async ({ request, actor, redirect }) => {
      const { kind, slug } = path.parse(request.params)
      const { position, listed } = form.parse(request.body)
      const names = namesOf(request.body)
      const change = {
        position,
        listed: listed !== undefined,
        ...(Object.keys(names).length > 0 && { names }),
      }
      await selections.change(kind, slug, change, actor)
      redirect('/sections', 'saved')
    }),
  ]
}

/** Of the fields `name.fr`, `name.ar` …; a language whose field is empty has no name of its own. */
export const namesOf = (body: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(z.record(z.string(), z.string().trim().max(200)).parse(body)).flatMap(([field, name]) =>
      field.startsWith('name.') && name !== '' ? [[field.slice('name.'.length), name]] : [],
    ),
  )
