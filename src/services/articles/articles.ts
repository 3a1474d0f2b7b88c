import type { Article, ArticleBody } from '../../domain/articles/article.ts'
import { decode } from '../../domain/articles/old-address.ts'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import { nameOfActor, type Actor } from '../../domain/editor.ts'
import { cleanLine } from '../../domain/text.ts'
import type { DomainError } from '../../errors.ts'
import { conflict, invalid } from '../../errors.ts'
import { putArticles } from './put-articles.ts'
import { versionOf, type ArticleToPut, type Outcome, type PutResult } from './put-article.ts'
import {
  articleInput,
  externalId as externalIdSchema,
  type ArticleInput,
  type CheckedArticle,
} from './input.ts'
import type { ArticleFilter } from '../../store/articles/articles.ts'
import type { Stores } from '../../store/stores.ts'
import { whoIs } from '../desk/who-is.ts'
import type { Parts } from '../parts.ts'
import { noteArchives, noteChanges, ringForChange } from './public-change.ts'
import { toShape } from './shape.ts'
import { withdrawArticle } from './withdraw.ts'

export type ArticleService = ReturnType<typeof createArticleService>

/** What became of one article of a batch. */
export type PutOutcome = { externalId: string } & (
  { outcome: Outcome } | { outcome: 'failed'; code: string; message: string }
)

/** Who writes, and what they looked at. */
interface Writing {
  actor: Actor
  version?: number | undefined
  mustBeNew?: boolean
  tagNames?: Record<string, string>
}

const bySystem: Writing = { actor: { kind: 'system', role: 'admin' } }

export function createArticleService(parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'now'>) {
  const { config, database, doorbell, now } = parts

  const batchOf = (by?: string) => ({ publicUrl: config.publicUrl, now: now(), ...(by && { by }) })

  /** In the caller's transaction; the feeds of what it was and of what it is now hear of it. */
  const putWithChanges = async (
    stores: Stores,
    items: ArticleToPut[],
    actor: Actor,
  ): Promise<PutResult[]> => {
    const known = [
      ...(await stores.articles.listByExternalIds(items.map(({ externalId }) => externalId))),
      ...(await stores.articles.listByGuids(items.flatMap(({ input }) => input.guid ?? []))),
    ]
    const before = await stores.articles.listByIds(known.map(({ articleId }) => articleId))
    const results = await putArticles(stores, items, batchOf(nameOfActor(actor)))
    for (const result of results.filter(hasChanged)) {
      if (result.isItsText) continue
      const action = result.outcome === 'created' ? 'article.created' : 'article.changed'
      await stores.audit.insert(actor, action, `article:${result.externalId}`)
    }
    const changed = results.filter(hasChanged).map(({ id }) => id)
    const after = await stores.articles.listByIds(changed)
    await noteChanges(stores, [...before.filter(({ id }) => changed.includes(id)), ...after])
    for (const article of after) {
      const wasWithdrawn = before.some(({ id, state }) => id === article.id && state === 'withdrawn')
      if (wasWithdrawn && article.state !== 'withdrawn') await noteArchives(stores, article)
    }
    return results
  }

  return {
    /**
     * Creates or updates by external id; the same body again is `unchanged`.
     * @throws ZodError; DomainError `schedule_needs_date`, `article_is_public`, `guid_taken`, `no_original`,
     *   `version_changed`, `article_exists`
     */
    async put(
      externalId: string,
      body: ArticleInput,
      { actor, ...seen } = bySystem,
    ): Promise<{ outcome: Outcome; article: Article }> {
      const item = {
        externalId: externalIdSchema.parse(externalId),
        input: articleInput.parse(body),
        ...seen,
      }
      const { result, article } = await database.transaction(async (stores) => {
        const [result] = await putWithChanges(stores, [item], actor)
        if (!result || 'error' in result) throw result?.error ?? new Error('no result for an article')
        return { result, article: await stores.articles.getByExternalId(item.externalId) }
      })
      if (hasChanged(result)) await ringForChange(doorbell)
      return { outcome: result.outcome, article }
    },

    /**
     * The same for several at once, in one transaction. What is wrong with one is its own outcome and leaves the others
     * alone; of an external id that comes twice the last counts.
     */
    async putMany(bodies: Record<string, unknown>[], { actor } = bySystem): Promise<PutOutcome[]> {
      const read = bodies.map(({ externalId, ...body }) => readArticle(externalId, body))
      const items = [
        ...new Map(read.flatMap((one) => ('input' in one ? [[one.externalId, one]] : []))).values(),
      ]
      const results = await database.transaction((stores) => putWithChanges(stores, items, actor))
      if (results.some(hasChanged)) await ringForChange(doorbell)
      const byId = new Map(results.map((one) => [one.externalId, one]))
      return read.map((one) => {
        const result = 'input' in one ? byId.get(one.externalId) : one
        if (result && 'outcome' in result) return { externalId: one.externalId, outcome: result.outcome }
        if (!result) throw new Error('no result for an article')
        const { code, message } = result.error
        return { externalId: one.externalId, outcome: 'failed', code, message }
      })
    },

    /**
     * Puts a batch of an import in one transaction; what is wrong with one article is its own result.
     * The feeds hear of it from `endImport`, once.
     */
    putBatch: (articles: ArticleToPut[]): Promise<PutResult[]> =>
      database.transaction((stores) => putArticles(stores, articles, batchOf())),

    /** Which of these are published. */
    listPublic: async (externalIds: string[]): Promise<Set<string>> =>
      new Set(await database.stores.articles.listPublished(externalIds)),

    /** After the last batch: every feed may have changed, once. What a person has imported is in the audit log. */
    async endImport(done?: { actor: Actor; url: string; created: number; updated: number }): Promise<void> {
      await database.transaction(async (stores) => {
        if (!done || done.created + done.updated > 0) await stores.feedDocuments.markDirty([{ subject: '*' }])
        if (!done) return
        const { actor, url, created, updated } = done
        await stores.audit.insert(actor, 'articles.imported', url, { created, updated })
      })
      await ringForChange(doorbell)
    },

    /** @throws DomainError `no_article` */
    get: (externalId: string): Promise<Article> => database.stores.articles.getByExternalId(externalId),

    find: (externalId: string): Promise<Article | undefined> =>
      database.stores.articles.findByExternalId(externalId),

    /**
     * What an editor names an article by: the address of its page, here or on the desk, else its external id, which is
     * given back as it is where there is no such address.
     */
    async findNamed(name: string): Promise<string> {
      const { pathname } = URL.parse(name, config.publicUrl) ?? { pathname: '' }
      const [, desk, last = ''] = /^\/(?:[\w-]+\/)?(desk\/)?articles\/([^/]+)$/.exec(pathname) ?? []
      const { articles } = database.stores
      const found = desk ? undefined : await articles.findBySlug(decode(last).normalize())
      return found?.externalId ?? (desk ? decode(last) : name)
    },

    /** In every state, newest date first; the cursor is a time and an id. */
    async list(request: PageRequest, filter: ArticleFilter = {}): Promise<Page<Article>> {
      const rows = await database.stores.articles.list({ ...request, ...filter })
      return toPage(rows, request.limit, ({ id, publishedAt, createdAt }) => [
        (publishedAt ?? createdAt).toISOString(),
        id,
      ])
    },

    /** What it says and the last that it said, with who wrote it as people know them. @throws DomainError `no_article` */
    async listBodies(externalId: string): Promise<ArticleBody[]> {
      const { articles } = database.stores
      const bodies = await articles.listBodies((await articles.getByExternalId(externalId)).id)
      return Promise.all(
        bodies.map(async ({ writtenBy, ...body }) => ({
          ...body,
          writtenBy: writtenBy && (await whoIs(database.stores, writtenBy)),
        })),
      )
    },

    /**
     * Takes a published article back; readers see the notice. Again with the same reason changes nothing.
     * @throws DomainError `no_article`, `article_not_public`
     */
    async withdraw(externalId: string, reason: string, actor: Actor): Promise<Article> {
      const article = await database.transaction(async (stores) => {
        const before = await stores.articles.getByExternalId(externalId)
        if (before.state === 'withdrawn') return before
        const by = {
          reason: cleanLine(reason),
          actor: nameOfActor(actor),
          now: now(),
          publicUrl: config.publicUrl,
        }
        return withdrawArticle(stores, before, by)
      })
      await ringForChange(doorbell)
      await doorbell.ring('deliver-mail', {})
      return article
    },

    /**
     * Lets the site that the article came from have the last word again: what it says next is written.
     * @throws DomainError `no_article`, `article_not_held`
     */
    async release(externalId: string, actor: Actor): Promise<Article> {
      return database.transaction(async (stores) => {
        const article = await stores.articles.getByExternalId(externalId)
        if (!(await stores.articles.markReleased(article.id))) throw notHeld()
        const sources = await stores.sourceItems.markStale(article.id)
        for (const source of sources) await stores.sources.markWanted(source)
        await stores.audit.insert(actor, 'article.released', `article:${article.externalId}`)
        return { ...article, heldAt: undefined }
      })
    },

    /** Stories that stand here twice, the first few. */
    listDoubled: (limit: number) => database.stores.articles.listDoubled(limit),

    /**
     * Makes one article of two that are one story. The one that has been public longer stays, with its text; every
     * address, guid and id of the other leads to it, and who was sent either was sent the story.
     * @throws DomainError `no_article`, `same_article`, `article_in_digest`
     */
    async merge(one: string, other: string, actor: Actor): Promise<{ kept: Article; gone: Article }> {
      const merged = await database.transaction(async (stores) => {
        await stores.articles.lock([one, other])
        const pair = [
          await stores.articles.getByExternalId(one),
          await stores.articles.getByExternalId(other),
        ]
        await stores.articles.listStored(pair.map(({ id }) => id))
        const [kept, gone] = pair.sort((a, b) => publicSince(a) - publicSince(b) || a.id - b.id)
        if (!kept || !gone || kept.id === gone.id) throw sameArticle()
        if (await stores.articles.isInOpenDigest(gone.id)) throw inDigest()
        await stores.articles.merge(kept.id, gone.id)
        await stores.feedDocuments.markDirty([{ subject: '*' }])
        await stores.audit.insert(actor, 'article.merged', `article:${kept.externalId}`, {
          merged: gone.externalId,
        })
        return { kept, gone }
      })
      await doorbell.ring('render-feeds', {})
      return merged
    },

    /** Publishes what is scheduled and due; how many. Several workers at once publish each article once. */
    async publishDue(): Promise<number> {
      const ids = await database.transaction(async (stores) => {
        const ids = await stores.articles.markPublished(now())
        await noteChanges(stores, await stores.articles.listByIds(ids))
        return ids
      })
      if (ids.length > 0) await ringForChange(doorbell)
      return ids.length
    },

    versionOf,

    toShape: (article: Article) => toShape(article, config.publicUrl),
  }
}

const hasChanged = (result: PutResult): result is Extract<PutResult, { id: number }> =>
  'outcome' in result && result.outcome !== 'unchanged'

/** One article of a batch, or what is wrong with it. */
function readArticle(
  id: unknown,
  body: object,
): { externalId: string } & ({ input: CheckedArticle } | { error: DomainError }) {
  const externalId = externalIdSchema.safeParse(id)
  const input = articleInput.safeParse(body)
  if (externalId.success && input.success) return { externalId: externalId.data, input: input.data }
  const issues = [...(externalId.error?.issues ?? []), ...(input.error?.issues ?? [])]
  const sentence = issues.map(({ path, message }) => [path.join('.'), message].join(' ').trim()).join('; ')
  return { externalId: String(id), error: invalid('invalid_input', sentence) }
}

/** What no reader has seen goes into what they have. */
const publicSince = (article: Article): number => article.firstPublicAt?.getTime() ?? Infinity

const notHeld = () =>
  conflict('article_not_held', 'No correction keeps the site of this article from writing it.')

const sameArticle = () =>
  invalid('same_article', 'Both ids are of one article already: name two different ones.')

const inDigest = () =>
  conflict(
    'article_in_digest',
    'A digest that has not ended holds the newer of the two: wait until it has, or cancel it.',
  )
