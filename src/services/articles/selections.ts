import { z } from 'zod'
import { nameOf, selectionPath, type Selection, type SelectionKind } from '../../domain/articles/article.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import { show } from '../../domain/fields.ts'
import { conflict, notFound } from '../../errors.ts'
import type { Actor } from '../../domain/editor.ts'
import type { NewSelection, PlacedSelection } from '../../store/articles/selections.ts'
import type { Stores } from '../../store/stores.ts'
import { leadFeeds } from '../feeds/moves.ts'
import { changesBetween } from '../desk/audit.ts'
import type { SelectionChangeInput, SelectionInput } from './input.ts'
import type { Parts } from '../parts.ts'
import { ringForChange } from './public-change.ts'

export const selectionShape = z.object({
  slug: z.string(),
  position: z.int().describe('Its place; what nobody has put in order has 1000'),
  listed: z.boolean().describe('Whether it stands in the menu and on the signup form'),
  formerly: z.array(z.string()).describe('Slugs that lead to it beside its own'),
  names: z.record(z.string(), z.string()).describe('By language'),
  descriptions: z.record(z.string(), z.string()),
  url: z.url(),
})

type Offered = 'sections' | 'dossiers' | 'tags'
interface Choice {
  slug: string
  name: string
}

/** The slugs of the sections that are here, by slug, also one of before, and by the slug of each of their names. */
export const knownSections = (sections: PlacedSelection[]): Map<string, string> =>
  new Map([
    ...sections.flatMap(({ slug, names, formerly }) =>
      [...Object.values(names).map(slugOf), ...formerly].map((name) => [name, slug] as const),
    ),
    ...sections.map(({ slug }) => [slug, slug] as const),
  ])

async function getSelection(stores: Stores, kind: SelectionKind, slug: string): Promise<PlacedSelection> {
  const selection = await stores.selections.findBySlug(kind, slug)
  if (!selection) throw noSelection(kind, slug)
  return selection
}

const noSelection = (kind: SelectionKind, slug: string, field?: string) =>
  notFound('no_selection', `There is no ${kind} ${slug}.`, { field })

const slugTaken = (kind: SelectionKind, slug: string) => {
  const sentence = `There is a ${kind} ${slug} already, or was one: change it, or choose another slug.`
  return conflict('selection_exists', sentence, { field: 'slug' })
}

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
        const created =
          !(await stores.selections.findBySlug(kind, input.slug)) &&
          (await stores.selections.insert({ kind, ...input }))
        if (!created) throw slugTaken(kind, input.slug)
        await stores.audit.insert(actor, 'selection.created', `${kind}:${input.slug}`)
        return created
      }),

    /** Creates the unknown ones with their names; known ones stay as the desk has named them. */
    async ensure(selections: NewSelection[]): Promise<void> {
      await database.stores.selections.putMissing(selections)
    },

    /**
     * Names, descriptions, order, and whether it is listed. Pages and feeds of a slug it had before lead to the new one.
     * @throws DomainError `no_selection`, `selection_exists`
     */
    async change(
      kind: SelectionKind,
      slug: string,
      change: SelectionChangeInput,
      actor: Actor,
    ): Promise<PlacedSelection> {
      const changed = await database.transaction(async (stores) => {
        const before = await getSelection(stores, kind, slug)
        const { slug: wished = before.slug, ...rest } = change
        if (wished !== before.slug) {
          const other = await stores.selections.findBySlug(kind, wished)
          if (other && other.id !== before.id) throw slugTaken(kind, wished)
          await stores.selections.updateSlug(before, wished)
          await leadFeeds(stores, before, { kind, slug: wished })
        }
        const after = await stores.selections.update(before.id, rest)
        if (!after) throw noSelection(kind, slug)
        // Its name stands in the items of every feed.
        await stores.feedDocuments.markDirty([{ subject: '*' }])
        const detail = changesBetween(before, change)
        await stores.audit.insert(actor, 'selection.changed', `${kind}:${before.slug}`, detail)
        return after
      })
      await ringForChange(doorbell)
      return changed
    },

    /** One of them, and what a merge would take along. @throws DomainError `no_selection` */
    async getWithUses(kind: SelectionKind, slug: string) {
      const selection = await getSelection(database.stores, kind, slug)
      return { selection, uses: await database.stores.selections.countUses(selection) }
    },

    /** The most used, by how many articles have them. */
    listTags: (): Promise<Selection[]> => database.stores.selections.listToChoose('tag', [], mostUsedTags),

    /**
     * Makes one of two: articles, the choices of readers and the rules of newsletters go over to `into`; pages and feeds
     * lead there, and whoever writes the old slug means it. A reader who had chosen both, or one, has `into`.
     * @throws DomainError `no_selection`, `same_selection`
     */
    async merge(kind: SelectionKind, slug: string, into: string, actor: Actor): Promise<PlacedSelection> {
      const merged = await database.transaction(async (stores) => {
        await stores.selections.claimAll()
        const gone = await getSelection(stores, kind, slug)
        const kept = await stores.selections.findBySlug(kind, into)
        if (!kept) throw noSelection(kind, into, 'into')
        if (kept.id === gone.id) {
          const sentence = `${into} is the same ${kind}: name another one.`
          throw conflict('same_selection', sentence, { field: 'into' })
        }
        const uses = await stores.selections.countUses(gone)
        await stores.selections.merge(gone, kept, Object.values(gone.names).map(slugOf).filter(Boolean))
        await leadFeeds(stores, gone, kept)
        await stores.feedDocuments.markDirty([{ subject: '*' }])
        await stores.audit.insert(actor, 'selection.merged', `${kind}:${gone.slug}`, {
          into: kept.slug,
          ...uses,
        })
        return getSelection(stores, kind, kept.slug)
      })
      await ringForChange(doorbell)
      return merged
    },

    /** As the API shows it. */
    toShape: (selection: PlacedSelection) =>
      show(selectionShape, { ...selection, url: config.publicUrl + selectionPath(selection) }),
  }
}
