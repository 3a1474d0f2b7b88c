import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import { nextOccurrence } from '../../domain/digests/cadence.ts'
import {
  type SeenVersion,
  isLetter,
  maxLatenessMs,
  noCounts,
  requireMayDo,
  requireVersion,
  type Digest,
  type DigestState,
  type DraftChange,
} from '../../domain/digests/digest.ts'
import { nameOfActor, type Actor } from '../../domain/editor.ts'
import {
  cadences,
  requireRunning,
  runningSchedules,
  type Cadence,
  type Newsletter,
  type Schedule,
} from '../../domain/newsletter.ts'
import { withoutUndefined } from '../../domain/fields.ts'
import { conflict, invalid } from '../../errors.ts'
import type { NewDigest } from '../../store/digests/digests.ts'
import type { Stores } from '../../store/stores.ts'
import type { ChangeInput, ComposeInput } from './input.ts'
import { changeByStep, pinAsOrdered, type ArticleStep } from './article-steps.ts'
import { inDraftTransaction, listPlans, refreshDraft, type Draft } from './draft.ts'
import { changesBetween } from '../desk/audit.ts'
import { readSpread } from './spread.ts'
import { readSendingDuration } from './sending-duration.ts'
import { toDigestShape, type DigestShape } from './shape.ts'
import type { DraftService } from './refresh-drafts.ts'
import type { Parts } from '../parts.ts'

export type DigestService = ReturnType<typeof createDigestService>

/** Composing: drafts that fill up by the newsletter's rules, and what an editor changes of them. */
export function createDigestService(
  parts: Pick<Parts, 'config' | 'database' | 'mail' | 'now'> & { drafts: Pick<DraftService, 'get'> },
) {
  const { config, database, drafts } = parts

  const shapeOf = async (stores: Stores, draft: Draft): Promise<DigestShape> => {
    const { digest } = draft
    const articleIds = digest.content?.articles.map((article) => article.id) ?? []
    const [variants, reached, counts, externalIds] = await Promise.all([
      listPlans(stores, digest),
      digest.startedAt ? stores.variants.listReached([digest.id]) : [],
      stores.digestProgress.countByState([digest.id]),
      stores.digestArticles.listExternalIds([...articleIds, ...digest.excluded]),
    ])
    const shared = { counts: counts.get(digest.id) ?? noCounts(), externalIds, publicUrl: config.publicUrl }
    const readers = digest.audience ?? variants.reduce((sum, variant) => sum + variant.readers, 0)
    const spread = await readSpread(parts, stores, { ...draft, readers })
    const shape = toDigestShape({ ...draft, ...shared, variants, reached, spread })
    const sendingTime = await readSendingDuration(config.smtpRate, stores, { ...shape, digest })
    return { ...shape, sendingTime }
  }

  const show = (draft: Draft): Promise<DigestShape> => shapeOf(database.stores, draft)
  const read = async (id: number): Promise<DigestShape> => show(await drafts.get(id))

  const openDraft = (newsletter: Newsletter, schedule: Schedule) =>
    database.transaction(async (stores) => {
      const { id: newsletterId } = newsletter
      const { cadence } = schedule
      const open = await stores.digests.findOpen(newsletterId, cadence)
      const now = await stores.clock.now()
      // An editor gave it a time of its own: the schedule does not move it.
      if (open?.state === 'scheduled') return open.id
      const next = nextOccurrence(schedule, now)
      if (!next) return open?.id
      const { localDate, localTime, at: sendAt } = next
      const overdueAt = open?.sendAt && open.sendAt <= now ? open.sendAt : undefined
      // One whose time has come waits for the scheduler, or for its approval, and the next one for its end.
      if (overdueAt && sendAt.getTime() - overdueAt.getTime() > maxLatenessMs) return open?.id
      const key = { newsletterId, cadence, localDate, localTime }
      const isItsOwn = open?.localDate === localDate && open.localTime === localTime
      const isDueThen = open?.sendAt?.getTime() === sendAt.getTime()
      if (open && (isItsOwn ? isDueThen : await stores.digests.findOccurrence(key))) return open.id
      if (open && !overdueAt) {
        await stores.digests.markState(open.id, [open.state], open.state, { localDate, localTime, sendAt })
        return open.id
      }
      const id = await stores.digests.insert({ ...key, sendAt })
      return open?.id ?? id ?? (await stores.digests.findOpen(newsletterId, cadence))?.id
    })

  return {
    /** A draft as it stood at its `asOf`, any other digest as it went. @throws DomainError `no_digest` */
    get: read,

    /** The same of one that was read already. */
    show,

    countStates: () => database.stores.digests.countStates(),

    /** Newest first. */
    async list(
      filter: { newsletter?: string | undefined; states?: DigestState[] | undefined },
      page: PageRequest,
    ): Promise<Page<DigestShape>> {
      const { stores } = database
      const newsletterId = filter.newsletter && (await stores.newsletters.getBySlug(filter.newsletter)).id
      const digests = await stores.digests.list({
        ...page,
        states: filter.states,
        newsletterId: newsletterId || undefined,
      })
      const newsletters = await stores.newsletters.listByIds([...new Set(digests.map((d) => d.newsletterId))])
      const newsletterOf = new Map(newsletters.map((newsletter) => [newsletter.id, newsletter]))
      const counts = await stores.digestProgress.countByState(digests.map((digest) => digest.id))
      const ids = digests.flatMap((digest) => digest.content?.articles.map((article) => article.id) ?? [])
      const externalIds = await stores.digestArticles.listExternalIds([...new Set(ids)])
      const started = digests.filter((digest) => digest.startedAt !== null).map((digest) => digest.id)
      const reached = await stores.variants.listReached(started)
      const variantsOf = await Promise.all(digests.map((digest) => listPlans(stores, digest)))
      const rows = digests.flatMap((digest, index) => {
        const newsletter = newsletterOf.get(digest.newsletterId)
        if (!newsletter) return []
        const variants = variantsOf[index] ?? []
        const shared = {
          variants,
          reached: reached.filter(({ digestId }) => digestId === digest.id),
          counts: counts.get(digest.id) ?? noCounts(),
          externalIds,
        }
        return [toDigestShape({ digest, newsletter, ...shared, publicUrl: config.publicUrl })]
      })
      return toPage(rows, page.limit, (digest) => [digest.createdAt, digest.id])
    },

    /**
     * The open draft of each scheduled cadence, made where there is none.
     * @throws DomainError `no_newsletter`
     */
    async listNext(slug: string): Promise<DigestShape[]> {
      const newsletter = await database.stores.newsletters.getBySlug(slug)
      const shapes: DigestShape[] = []
      for (const schedule of runningSchedules(newsletter)) {
        const id = await openDraft(newsletter, schedule)
        if (id !== undefined) shapes.push(await read(id))
      }
      return shapes
    },

    /** Makes the open draft of a scheduled cadence where there is none, and moves it where the schedule has changed. */
    openDraft,

    /**
     * A digest by hand: an extra beside the scheduled ones.
     * @throws DomainError `no_newsletter`, `no_cadence`, `article_not_public`, `one_article`, `newsletter_paused`,
     *   `newsletter_ended`
     */
    async compose(slug: string, input: ComposeInput, actor: Actor): Promise<DigestShape> {
      return database.transaction(async (stores) => {
        const newsletter = await stores.newsletters.getBySlug(slug)
        requireRunning(newsletter)
        const kind = input.kind ?? 'digest'
        const cadence = kind === 'letter' ? cadenceOfLetter(newsletter) : cadenceOf(newsletter, input.cadence)
        const named = input.articles ?? (kind === 'letter' ? [] : undefined)
        const chosen = named && (await stores.digestArticles.getIds(named))
        if (cadence === 'alert' && chosen?.length !== 1) {
          const sentence = 'An alert is a digest of one article: name it in articles.'
          throw invalid('one_article', sentence, { field: 'articles' })
        }
        const excluded = await stores.digestArticles.getIds(input.excluded ?? [])
        await stores.digestArticles.insertExclusions(newsletter.id, excluded, nameOfActor(actor))
        const pinned = await stores.digestArticles.getIds(input.pinned ?? [])
        const { intro, subject } = input
        const draft = { newsletterId: newsletter.id, kind, cadence, chosen, excluded, pinned, intro, subject }
        return insertDraft(stores, draft, actor)
      })
    },

    /**
     * The words and articles of a letter as a draft for another newsletter. Who has, or is about to get, one of the two
     * when the other is sent gets no second.
     * @throws DomainError `no_digest`, `not_a_letter`, `no_newsletter`, `newsletter_paused`, `newsletter_ended`
     */
    async copy(id: number, slug: string, actor: Actor): Promise<DigestShape> {
      return database.transaction(async (stores) => {
        const letter = await stores.digests.get(id)
        if (!isLetter(letter)) throw notALetter()
        const newsletter = await stores.newsletters.getBySlug(slug)
        requireRunning(newsletter)
        const { subject, preheader, intro, pinned, chosen, copyOf } = letter
        const texts = { subject: subject ?? undefined, preheader: preheader ?? undefined, intro }
        const draft = {
          newsletterId: newsletter.id,
          kind: 'letter' as const,
          copyOf: copyOf ?? id,
          cadence: cadenceOfLetter(newsletter),
          pinned,
          chosen: chosen ?? [],
          ...texts,
        }
        return insertDraft(stores, draft, actor)
      })
    },

    /**
     * Changes a draft. An approved or scheduled digest becomes a draft again and is asked about once more.
     * @throws DomainError `no_digest`, `wrong_state`, `if_match_required`, `version_changed`, `article_not_public`
     */
    change: (id: number, input: ChangeInput, version: SeenVersion, actor: Actor): Promise<DigestShape> =>
      edit(id, { version, actor }, (stores, draft) => toDraftChange(stores, draft, input)),

    /**
     * Puts articles in the order an editor dragged them into, by pinning as few as that takes.
     * @throws DomainError as `change`
     */
    reorder: (id: number, externalIds: string[], version: SeenVersion, actor: Actor): Promise<DigestShape> =>
      edit(id, { version, actor }, async (stores, draft) =>
        pinAsOrdered(parts, stores, draft, await stores.digestArticles.getIds(externalIds)),
      ),

    /**
     * One step of one article, as the desk's buttons do it: moved, pinned, left out, or let in again.
     * @throws DomainError as `change`
     */
    applyStep: (
      id: number,
      { article, step }: { article: string; step: ArticleStep },
      version: SeenVersion,
      actor: Actor,
    ): Promise<DigestShape> =>
      edit(id, { version, actor }, (stores, draft) => changeByStep(parts, stores, draft, { article, step })),
  }

  async function insertDraft(stores: Stores, draft: NewDigest, actor: Actor): Promise<DigestShape> {
    const id = await stores.digests.insert({ ...draft, changedBy: nameOfActor(actor) })
    if (id === undefined) throw new Error('a digest without a day cannot conflict')
    const detail = draft.copyOf === undefined ? undefined : { copyOf: draft.copyOf }
    await stores.audit.insert(actor, 'digest.composed', `digest:${id}`, detail)
    return shapeOf(stores, await refreshDraft(parts, stores, id))
  }

  /** Locks the draft and composes it twice: before, for the change may follow from it, and after. */
  async function edit(
    id: number,
    { version, actor }: { version: SeenVersion; actor: Actor },
    changeOf: (stores: Stores, draft: Draft) => Promise<DraftChange>,
  ): Promise<DigestShape> {
    return inDraftTransaction(database, async (stores) => {
      const draft = await refreshDraft(parts, stores, id)
      requireMayDo(draft.digest, 'change')
      requireVersion(draft.digest, version)
      const change = await changeOf(stores, draft)
      await applyChange(stores, draft.digest, change, nameOfActor(actor))
      await updateExclusions(stores, draft, change.excluded, nameOfActor(actor))
      return shapeOf(stores, await refreshDraft(parts, stores, id))
    })
  }
}

async function toDraftChange(stores: Stores, { digest }: Draft, input: ChangeInput): Promise<DraftChange> {
  const { articles, pinned, excluded, ...texts } = input
  const idsOf = (externalIds: string[]) => stores.digestArticles.getIds(externalIds)
  return {
    ...texts,
    pinned: pinned && (await idsOf(pinned)),
    excluded: excluded && (await idsOf(excluded)),
    // A letter has no rules to go back to.
    chosen: articles === null && isLetter(digest) ? [] : articles && (await idsOf(articles)),
  }
}

/** Unfreezes, and forgets the approval: it was for other bytes. */
async function applyChange(
  stores: Stores,
  digest: Digest,
  change: DraftChange,
  actor: string,
): Promise<void> {
  await stores.digests.markState(digest.id, [digest.state], 'draft', {
    ...change,
    frozenAt: null,
    approvedSha256: null,
    approvedBy: null,
    approvedAt: null,
    changedBy: actor,
  })
  const { subject, preheader, intro } = change
  const texts = withoutUndefined({ subject, preheader, intro })
  await stores.audit.insert(actor, 'digest.changed', `digest:${digest.id}`, changesBetween(digest, texts))
}

async function updateExclusions(
  stores: Stores,
  draft: Draft,
  excluded: number[] | undefined,
  actor: string,
): Promise<void> {
  if (!excluded) return
  const readmitted = draft.digest.excluded.filter((id) => !excluded.includes(id))
  await stores.digestArticles.deleteExclusions(draft.newsletter.id, readmitted)
  await stores.digestArticles.insertExclusions(draft.newsletter.id, excluded, actor)
}

/** It goes to all who are subscribed; of the column that says how often, the first scheduled one. */
const cadenceOfLetter = (newsletter: Newsletter): Cadence =>
  runningSchedules(newsletter)[0]?.cadence ?? 'daily'

const notALetter = () => conflict('not_a_letter', 'Only a letter is copied to another newsletter.')

function cadenceOf(newsletter: Newsletter, wanted: Cadence | undefined): Cadence {
  const offered = cadences.filter((cadence) => newsletter.cadences.some((rule) => rule.cadence === cadence))
  const cadence = wanted ?? offered[0] ?? 'daily'
  if (offered.length === 0 || offered.includes(cadence)) return cadence
  const sentence = `${newsletter.slug} has no cadence ${cadence}; it has ${offered.join(', ')}.`
  throw invalid('no_cadence', sentence, { field: 'cadence' })
}
