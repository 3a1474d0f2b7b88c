import { nameOfActor, type Actor } from '../../domain/editor.ts'
import { siteKeyOf } from '../../domain/articles/identity.ts'
import { withoutUndefined } from '../../domain/fields.ts'
import {
  ringsOf,
  stateOf,
  type ItemList,
  type SourceAnswer,
  type SourceKind,
  type SourceState,
} from '../../domain/sources/source.ts'
import { atField, conflict, invalid, notFound } from '../../errors.ts'
import type { ItemCounts, StoredItem } from '../../store/sources/source-items.ts'
import type { SourceRun } from '../../store/sources/source-runs.ts'
import type { SourceSettings, StoredSource } from '../../store/sources/sources.ts'
import type { Stores } from '../../store/stores.ts'
import { ringForChange } from '../articles/public-change.ts'
import { restoreArticle } from '../articles/withdraw.ts'
import { changesBetween } from '../desk/audit.ts'
import { randomSecret } from '../secret.ts'
import { discover, type Discovery } from './discover.ts'
import type { SourceChange, SourceInput } from './input.ts'
import type { LookParts } from './look.ts'
import { conditionOf } from './sync.ts'
import { withdrawItem } from './withdrawals.ts'
import { dayMs } from '../../domain/time.ts'

/** A source as the desk sees it. */
export interface SourceView extends StoredSource {
  state: SourceState
  /** Whether the site rings; undefined until something has arrived. */
  rings: boolean | undefined
  foundAt: Date | undefined
  counts: ItemCounts
  /** What the newsroom enters at its site. */
  pingUrl: string
}

const listed = 100

/** The sites whose articles arrive by themselves, as people set them up. */
export function createSourceService(parts: LookParts) {
  const { config, database, doorbell, log, now } = parts
  const { stores } = database

  const view = async (source: StoredSource): Promise<SourceView> => ({
    ...source,
    state: stateOf(conditionOf(source)),
    rings: ringsOf(source),
    foundAt: conditionOf(source).foundAt,
    counts: await stores.sourceItems.count(source.id),
    pingUrl: `${config.publicUrl}/ping/${source.token}`,
  })

  const get = async (id: number): Promise<SourceView> => view(await find(stores, id))

  const ring = (id: number) => doorbell.ring('sync-source', { sourceId: id })

  /** One change with its line in the audit. A worker that hears of it looks, unless the source is paused. */
  const change = async (
    id: number,
    action: string,
    actor: Actor,
    work: (stores: Stores, source: StoredSource) => Promise<unknown>,
  ): Promise<SourceView> => {
    await database.transaction(async (tx) => {
      const before = await tx.sources.lock(id)
      if (!before) throw noSource()
      await work(tx, before)
      const detail = changesBetween(decided(before), decided(await find(tx, id)))
      await tx.audit.insert(actor, action, `source:${id}`, detail)
    })
    await ring(id)
    return get(id)
  }

  const readSettings = async (tx: Stores, input: SourceChange): Promise<SourceSettings> => {
    const { languages } = await tx.publication.get()
    const language = input.language ?? undefined
    if (language !== undefined && !languages.includes(language)) throw notOurLanguage(languages)
    return {
      language,
      since: input.since ? new Date(input.since) : undefined,
      links: input.links ?? undefined,
      feedText: input.feedText ?? undefined,
    }
  }

  return {
    get,

    list: async (): Promise<SourceView[]> => Promise.all((await stores.sources.list()).map(view)),

    async listItems(id: number, list: ItemList): Promise<StoredItem[]> {
      await find(stores, id)
      return stores.sourceItems.listFor(id, list, listed)
    },

    /** The latest looks first. */
    async listRuns(id: number): Promise<SourceRun[]> {
      await find(stores, id)
      return stores.sourceRuns.list(id, listed)
    },

    /** What is at an address, with five of its articles. @throws DomainError of `discover` */
    preview: (address: string, wish?: { kind?: SourceKind | undefined }): Promise<Discovery> =>
      discover(parts, address, wish),

    /** @throws DomainError of `discover`, `source_exists`, `invalid_input` */
    async add({ address, kind, ...input }: SourceInput, actor: Actor): Promise<SourceView> {
      const settings = await readSettings(stores, input)
      const { found } = await discover(parts, address, { kind, language: settings.language })
      const id = await database.transaction(async (tx) => {
        const added = await tx.sources.insert(found, settings, randomSecret())
        if (added === undefined) throw exists()
        if (found.kind === 'wordpress') await tx.articles.markAwaited(siteKeyOf(found.home))
        await tx.audit.insert(actor, 'source.added', `source:${added}`, { url: found.url })
        return added
      })
      await ring(id)
      return get(id)
    },

    /** Settings that are not given stay. What was skipped for its language is read again. @throws DomainError `no_source` */
    async change(id: number, input: Partial<SourceChange>, actor: Actor): Promise<SourceView> {
      const changed = await change(id, 'source.changed', actor, async (tx, before) => {
        const since = before.since?.toISOString()
        await tx.sources.updateSettings(
          id,
          await readSettings(tx, { ...before, since, ...withoutUndefined(input) }),
        )
        await tx.sourceItems.markSkippedStale(id)
        await tx.sources.markWanted(id)
        // Links to its articles stand in every feed.
        await tx.feedDocuments.markDirty([{ subject: '*' }])
      })
      await ringForChange(doorbell)
      return changed
    },

    /** Looks now, whatever the time. @throws DomainError `no_source`, `source_paused` */
    sync: (id: number, actor: Actor): Promise<SourceView> =>
      change(id, 'source.wanted', actor, (tx, source) => {
        if (source.pausedAt) throw paused()
        return tx.sources.markWanted(id)
      }),

    pause: (id: number, actor: Actor): Promise<SourceView> =>
      change(id, 'source.paused', actor, (tx) => tx.sources.updatePaused(id, true)),

    resume: (id: number, actor: Actor): Promise<SourceView> =>
      change(id, 'source.resumed', actor, (tx) => tx.sources.updatePaused(id, false)),

    /** Its articles stay, and their links lead where the publication says; nothing brings them up to date any more. @throws DomainError `no_source` */
    async remove(id: number, actor: Actor): Promise<void> {
      await database.transaction(async (tx) => {
        if (!(await tx.sources.delete(id))) throw noSource()
        await tx.audit.insert(actor, 'source.removed', `source:${id}`)
        await tx.feedDocuments.markDirty([{ subject: '*' }])
      })
      await ringForChange(doorbell)
    },

    /** Follows the feed of a site that has closed its API. @throws DomainError of `discover`, `source_exists` */
    useFeed: async (id: number, actor: Actor): Promise<SourceView> => {
      const { home } = await find(stores, id)
      const { found } = await discover(parts, home, { kind: 'feed' })
      return change(id, 'source.feed', actor, async (tx) => {
        if (!(await tx.sources.updateFound(id, found))) throw exists()
      })
    },

    /**
     * A person's word about what is gone: withdraw it all, keep it, or that it is the site it was.
     * @throws DomainError `no_source`, `nothing_asked`
     */
    async answer(id: number, answer: SourceAnswer, actor: Actor): Promise<SourceView> {
      const answered = await change(id, `source.${answer}`, actor, async (tx, source) => {
        const isMoved = source.question === 'moved'
        if (!source.question || isMoved !== (answer === 'same-site')) throw nothingAsked()
        const gone = isMoved ? [] : await tx.sourceItems.listMissing(id, { isAgain: false })
        if (answer === 'withdraw') for (const item of gone) await withdrawItem(parts, tx, id, item)
        const ids = gone.map(({ remoteId }) => remoteId)
        if (answer === 'keep') await tx.sourceItems.markState(id, ids, 'kept')
        await tx.sources.markAnswered(id, { isMoved })
        await tx.sources.markWanted(id)
      })
      if (answer === 'withdraw') {
        await ringForChange(doorbell)
        await doorbell.ring('deliver-mail', {})
      }
      return answered
    },

    /**
     * Brings back what the source withdrew, and keeps it whatever the site shows. Readers are told nothing again.
     * @param items remote ids; else all of the last day
     * @returns how many
     */
    async restore(id: number, items: string[] | undefined, actor: Actor): Promise<number> {
      let restored = 0
      await change(id, 'source.restored', actor, async (tx) => {
        const since = now().getTime() - dayMs
        const withdrawn = (await tx.sourceItems.listFor(id, 'withdrawn', 10_000)).filter((item) =>
          items ? items.includes(item.remoteId) : (item.withdrawnAt?.getTime() ?? 0) >= since,
        )
        for (const { articleId } of withdrawn) {
          const by = { sourceId: id, actor: nameOfActor(actor) }
          if (articleId !== undefined && (await restoreArticle(tx, articleId, by))) restored += 1
        }
        const ids = withdrawn.map(({ remoteId }) => remoteId)
        await tx.sourceItems.markState(id, ids, 'kept')
      })
      await ringForChange(doorbell)
      return restored
    },

    /**
     * Somebody rings. Whoever has no token of ours is heard by nobody, and counted nowhere: they can have millions.
     * @param isWithin counts a ring of this source
     */
    async hearRing(token: string, isWithin: (id: number) => Promise<boolean>): Promise<void> {
      try {
        const id = await stores.sources.findByToken(token)
        if (id !== undefined && (await isWithin(id)) && (await stores.sources.markRung(id))) await ring(id)
      } catch (error) {
        log.warn({ reason: String(error) }, 'a ring of a source is lost; it is looked at in its time')
      }
    },
  }
}

/** What its line in the audit tells the change of. */
const decided = ({ url, language, since, links, feedText }: StoredSource) => ({
  url,
  language,
  since,
  links,
  feedText,
})

async function find(stores: Stores, id: number): Promise<StoredSource> {
  const source = await stores.sources.find(id)
  if (!source) throw noSource()
  return source
}

const noSource = () => notFound('no_source', 'There is no such source.')

const exists = () =>
  conflict('source_exists', 'This site is followed already.', atField('address', 'is followed already'))

const paused = () => conflict('source_paused', 'This source is paused: resume it, and it is looked at.')

const nothingAsked = () => conflict('nothing_asked', 'This source has no such question open; read it again.')

const notOurLanguage = (languages: string[]) => {
  const message = `must be a language of the publication: ${languages.join(', ')}`
  return invalid('invalid_input', `The language ${message}.`, atField('language', message))
}
