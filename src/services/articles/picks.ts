import { z } from 'zod'
import { pickPath, stepped, type PickedList, type PickStep } from '../../domain/articles/pick.ts'
import type { Actor } from '../../domain/editor.ts'
import { show } from '../../domain/fields.ts'
import { feedFormats, feedPath, type FeedChange } from '../../domain/feeds/feed.ts'
import { conflict, notFound } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import { changesBetween } from '../desk/audit.ts'
import type { Parts } from '../parts.ts'
import { pickInput, slug as slugInput, type PickInput } from './input.ts'
import { ringForChange } from './public-change.ts'

export const pickShape = z.object({
  slug: z.string(),
  names: z.record(z.string(), z.string()).describe('By language'),
  articles: z.array(z.string()).describe('External ids, in order; readers see those that are published'),
  from: z.iso.datetime().nullable().describe('Readers see it from then'),
  to: z.iso.datetime().nullable(),
  onFront: z.boolean().describe('Whether it stands at the side of the front page'),
  url: z.url(),
})

/** Lists that an editor puts together, each with a page, feeds, and a place in newsletters that have a block for it. */
export function createPickService(parts: Pick<Parts, 'config' | 'database' | 'doorbell'>) {
  const { config, database, doorbell } = parts

  const get = async (stores: Stores, slug: string): Promise<PickedList> => {
    const pick = await stores.picks.find(slug)
    if (!pick) throw notFound('no_pick', `There are no picks ${slug}.`)
    return pick
  }

  /** One change of one list, told to the audit log, the feeds and the drafts. */
  const change = async (
    slug: string,
    actor: Actor,
    changeOf: (stores: Stores, before: PickedList | undefined) => Promise<PickedList>,
  ): Promise<PickedList> => {
    const changed = await database.transaction(async (stores) => {
      await stores.picks.claim(slug)
      const before = await stores.picks.find(slug)
      const after = await changeOf(stores, before)
      await stores.picks.put(after)
      if (!before) await markFeeds(stores, slug, stores.feedDocuments.markServed)
      await stores.feedDocuments.markDirty(changesOfPick(slug, before?.onFront || after.onFront))
      const detail = changesBetween(await toAudit(stores, before), await toAudit(stores, after))
      await stores.audit.insert(actor, before ? 'pick.changed' : 'pick.created', `pick:${slug}`, detail)
      return after
    })
    await ringForChange(doorbell)
    return changed
  }

  return {
    list: (): Promise<PickedList[]> => database.stores.picks.list(),

    /** @throws DomainError `no_pick` */
    get: (slug: string): Promise<PickedList> => get(database.stores, slug),

    /** Its articles that readers may see, in order. */
    listArticles: async ({ articleIds }: PickedList) =>
      (await database.stores.articles.listByIds(articleIds)).filter(({ state }) => state === 'published'),

    /** @throws DomainError `pick_exists` */
    create: (slug: string, names: Record<string, string>, actor: Actor): Promise<PickedList> =>
      change(slugInput.parse(slug), actor, (_, before) => {
        const sentence = `There are picks ${slug} already: change them, or choose another name.`
        if (before) throw conflict('pick_exists', sentence, { field: 'name' })
        return Promise.resolve({ slug, names, articleIds: [], startsAt: null, endsAt: null, onFront: false })
      }),

    /** New or changed, whole. @throws ZodError; DomainError `article_not_public` */
    put(slug: string, input: PickInput, actor: Actor): Promise<PickedList> {
      const { articles, ...rest } = pickInput.parse(input)
      return change(slugInput.parse(slug), actor, async (stores) => ({
        slug,
        ...settingsOf(rest),
        articleIds: await stores.digestArticles.getIds([...new Set(articles)]),
      }))
    },

    /** What the desk's form holds: the articles stay. @throws as `put`, DomainError `no_pick` */
    describe(slug: string, input: Omit<PickInput, 'articles'>, actor: Actor): Promise<PickedList> {
      const settings = settingsOf(pickInput.parse(input))
      return change(slug, actor, async (stores) => ({ ...(await get(stores, slug)), ...settings }))
    },

    /** @param article its external id. @throws DomainError `no_pick`, `article_not_public` */
    applyStep: (
      slug: string,
      { article, step }: { article: string; step: PickStep },
      actor: Actor,
    ): Promise<PickedList> =>
      change(slug, actor, async (stores) => {
        const before = await get(stores, slug)
        const [id = 0] = await stores.digestArticles.getIds([article])
        return { ...before, articleIds: stepped(before.articleIds, id, step) }
      }),

    /** Its page is gone and its feeds have ended. @throws DomainError `no_pick` */
    async delete(slug: string, actor: Actor): Promise<void> {
      await database.transaction(async (stores) => {
        const { onFront } = await get(stores, slug)
        await stores.picks.delete(slug)
        await stores.feedDocuments.markDirty(changesOfPick(slug, onFront))
        await markFeeds(stores, slug, stores.feedDocuments.markRetired)
        await stores.audit.insert(actor, 'pick.deleted', `pick:${slug}`)
      })
      await ringForChange(doorbell)
    },

    /** What may be added, in every language of the publication, by words of its title. */
    async search(words: string, { articleIds }: PickedList) {
      const { publication, digestArticles } = database.stores
      const except = [...(await digestArticles.listExternalIds(articleIds)).values()]
      const { languages } = await publication.get()
      const found = languages.map((language) => digestArticles.listByTitle(words, { language, except }))
      return (await Promise.all(found)).flat()
    },

    /** As the API shows it. */
    async toShape(pick: PickedList) {
      const { slug, articleIds, startsAt: from, endsAt: to } = pick
      const ids = await database.stores.digestArticles.listExternalIds(articleIds)
      const articles = articleIds.flatMap((id) => ids.get(id) ?? [])
      return show(pickShape, { ...pick, articles, from, to, url: config.publicUrl + pickPath(slug) })
    },
  }
}

const settingsOf = ({ names, from, to, onFront }: Omit<z.output<typeof pickInput>, 'articles'>) => ({
  names,
  startsAt: from === null ? null : new Date(from),
  endsAt: to === null ? null : new Date(to),
  onFront,
})

/** The front page is that of the feed of everything. */
const changesOfPick = (slug: string, isOnFront: boolean): FeedChange[] => [
  { subject: `pick:${slug}` },
  ...(isOnFront ? [{ subject: 'all' } as const] : []),
]

/** Under the names that the API has for them. */
async function toAudit(stores: Stores, pick: PickedList | undefined): Promise<object> {
  if (!pick) return {}
  const known = await stores.digestArticles.listExternalIds(pick.articleIds)
  return {
    names: pick.names,
    articles: pick.articleIds.flatMap((id) => known.get(id) ?? []),
    from: pick.startsAt ?? undefined,
    to: pick.endsAt ?? undefined,
    onFront: pick.onFront,
  }
}

async function markFeeds(stores: Stores, slug: string, mark: (path: string) => Promise<void>): Promise<void> {
  const { languages } = await stores.publication.get()
  for (const language of [undefined, ...languages])
    for (const format of feedFormats) await mark(feedPath({ subject: `pick:${slug}`, language, format }))
}
