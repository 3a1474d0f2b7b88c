import { nameOf, selectionPath, type Selection, type SelectionKind } from '../../domain/articles/article.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { atField, conflict, notFound } from '../../errors.ts'
import type { Actor } from '../../domain/editor.ts'
import type { NewSelection, PlacedSelection } from '../../store/articles/selections.ts'
import { changesBetween } from '../desk/audit.ts'
import type { SelectionChangeInput, SelectionInput } from './input.ts'
import type { Parts } from '../parts.ts'
import { ringForChange } from './public-change.ts'

type Offered = 'sections' | 'dossiers' | 'tags'
interface Choice {
  slug: string
  name: string
}

/** The slugs of the sections that are here, by slug and by the slug of each of their names. */
export const knownSections = (sections: Selection[]): Map<string, string> =>
  new Map([
    ...sections.flatMap(({ slug, names }) =>
      Object.values(names).map((name) => [slugOf(name), slug] as const),
    ),
    ...sections.map(({ slug }) => [slug, slug] as const),
  ])

/** An archive has thousands of tags; a form that lists them all is none. */
const mostUsedTags = 60

export type SelectionService = ReturnType<typeof createSelectionService>

export function createSelectionService(parts: Pick<Parts, 'config' | 'database' | 'doorbell'>) {
  const { config, database, doorbell } = parts
  return {
    /** In the publication's order. */
    list: (kind: SelectionKind): Promise<PlacedSelection[]> => database.stores.selections.list(kind),

    /**
     * What a newsletter may draw from, under its name in `language`: every section and dossier and the most used tags;
     * of all three what is chosen, even where this installation has none of that slug yet.
     */
    async offer(chosen: Record<Offered, string[]>, language: string): Promise<Record<Offered, Choice[]>> {
      const { selections } = database.stores
      const named = (known: Selection[], slugs: string[]): Choice[] => {
        const unknown = slugs.filter((slug) => !known.some((one) => one.slug === slug))
        return [
          ...known.map((one) => ({ slug: one.slug, name: nameOf(one, language) })),
          ...unknown.map((slug) => ({ slug, name: slug })),
        ]
      }
      return {
        sections: named(await selections.list('section'), chosen.sections),
        dossiers: named(await selections.list('dossier'), chosen.dossiers),
        tags: named(await selections.listToChoose('tag', chosen.tags, mostUsedTags), chosen.tags),
      }
    },

    /** @throws DomainError `selection_exists` */
    create: (kind: SelectionKind, input: SelectionInput, actor: Actor): Promise<PlacedSelection> =>
      database.transaction(async (stores) => {
        const created = await stores.selections.insert({ kind, ...input })
        if (!created) {
          const sentence = `There is a ${kind} ${input.slug} already: change it, or choose another slug.`
          throw conflict('selection_exists', sentence, atField('slug', sentence))
        }
        await stores.audit.insert(actor, 'selection.created', `${kind}:${input.slug}`)
        return created
      }),

    /** Creates the unknown ones with their names; known ones stay as the desk has named them. */
    async ensure(selections: NewSelection[]): Promise<void> {
      await database.stores.selections.putMissing(selections)
    },

    /** Names, descriptions, order, and whether it is listed; the slug stays. @throws DomainError `no_selection` */
    async change(
      kind: SelectionKind,
      slug: string,
      change: SelectionChangeInput,
      actor: Actor,
    ): Promise<PlacedSelection> {
      const changed = await database.transaction(async (stores) => {
        const before = await stores.selections.findBySlug(kind, slug)
        const after = before && (await stores.selections.update(before.id, change))
        if (!after) throw notFound('no_selection', `There is no ${kind} ${slug}.`)
        // Its name stands in the items of every feed.
        await stores.feedDocuments.markDirty([{ subject: '*' }])
        await stores.audit.insert(
          actor,
          'selection.changed',
          `${kind}:${slug}`,
          changesBetween(before, change),
        )
        return after
      })
      await ringForChange(doorbell)
      return changed
    },

    /** As the API shows it. */
    toShape: (selection: PlacedSelection) => ({
      slug: selection.slug,
      position: selection.position,
      listed: selection.listed,
      names: selection.names,
      descriptions: selection.descriptions,
      url: config.publicUrl + selectionPath(selection),
    }),
  }
}
