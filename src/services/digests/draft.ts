import { dateIn } from '../../domain/calendar.ts'
import { lookBackStart } from '../../domain/digests/cadence.ts'
import { contentHashOf, isLetter, type Digest, type VariantPlan } from '../../domain/digests/digest.ts'
import { contentOf, type Candidate } from '../../domain/digests/digest-content.ts'
import { orderOf } from '../../domain/digests/digest-order.ts'
import { planVariants, type ReaderGroup } from '../../domain/digests/digest-variant.ts'
import { addressesOf } from '../../domain/articles/links.ts'
import { mostReadInDigest } from '../../domain/articles/most-read.ts'
import { isShown, type PickedList } from '../../domain/articles/pick.ts'
import type { FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import { DomainError } from '../../errors.ts'
import type { Database } from '../../store/database.ts'
import type { Stores } from '../../store/stores.ts'
import type { AudienceQuery, Counting } from '../../store/digests/audience.ts'
import type { Parts } from '../parts.ts'

const mostInLetter = 100

export interface Draft {
  digest: Digest
  newsletter: Newsletter
}

/** What a draft would hold, and who would get it. On a long list that takes seconds to find out. */
interface Composed {
  content: FrozenDigest
  plans: VariantPlan[]
}

/**
 * Brings what a draft would hold now into its row: a new version where that differs from what was last seen, so
 * that an `If-Match` or an approval never covers a story nobody looked at. Does nothing to a frozen digest.
 * Call it in `inDraftTransaction`.
 */
export async function refreshDraft(
  parts: Pick<Parts, 'config' | 'now'>,
  stores: Stores,
  digestId: number,
  counting: Counting = 'lately',
): Promise<Draft> {
  const digest = await stores.digests.claim(digestId)
  const newsletter = await stores.newsletters.get(digest.newsletterId)
  if (!isUnfrozen(digest)) return { digest, newsletter }
  await storeDraft(stores, digest, await composeDraft(parts, stores, { digest, newsletter }, counting))
  return { digest: await stores.digests.get(digest.id), newsletter }
}

/** A transaction; of one that is refused because the draft has changed, the change is kept, for somebody to see. */
export async function inDraftTransaction<T>(
  database: Database,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  const done = await database.transaction((stores) =>
    work(stores).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'version_changed') return error
      throw error
    }),
  )
  if (done instanceof DomainError) throw done
  return done
}

export const isUnfrozen = ({ frozenAt, state }: Digest): boolean => !frozenAt && state === 'draft'

/** The version grows where the content differs, and only there. */
export async function storeDraft(
  stores: Stores,
  digest: Digest,
  { content, plans }: Composed,
): Promise<void> {
  const hash = contentHashOf(content)
  if (hash !== digest.contentHash) {
    await stores.digests.updateContent(digest.id, content, hash)
    await stores.digestArticles.putAll(digest.id, content.articles, digest.pinned)
  }
  await stores.digests.updatePlans(digest.id, plans)
}

/** What a draft is made of, beside its readers: quickly read, however many they are. */
export async function listMatter(
  parts: Pick<Parts, 'config' | 'now'>,
  stores: Stores,
  { digest, newsletter }: Draft,
) {
  const publication = await stores.publication.get()
  const picks = await listPicks(parts, stores, { digest, newsletter })
  const due = await listDue(parts, stores, { digest, newsletter }, picks)
  const ordered = await inOrder(
    stores,
    orderOf(
      digest,
      due.map((article) => article.id),
    ),
    due,
  )
  const mostRead = await listMostRead(parts, stores, newsletter, dateIn(publication.zone, parts.now()))
  return { publication, ordered, mostRead, picks }
}

/** Only reads. */
export async function composeDraft(
  parts: Pick<Parts, 'config' | 'now'>,
  stores: Stores,
  draft: Draft,
  counting: Counting,
): Promise<Composed> {
  const { publication, ordered, mostRead, picks } = await listMatter(parts, stores, draft)
  const { articles, beyond, plans } = await selectForReaders(stores, draft, ordered, counting)
  const content = contentOf({
    ...draft,
    publication,
    publicUrl: parts.config.publicUrl,
    replyTo: draft.newsletter.replyTo ?? parts.config.mailReplyTo ?? publication.contactEmail,
    articles,
    beyond,
    mostRead,
    picks,
    homes: draft.newsletter.linkTags ? (await stores.sources.list()).map(({ home }) => home) : [],
  })
  return { content, plans }
}

/** The versions of a digest, the largest first: as prepared, before that as they were last looked up. */
export const listPlans = async (stores: Stores, digest: Digest): Promise<VariantPlan[]> =>
  digest.audience === null ? digest.plans : stores.variants.list(digest.id)

/** The versions that a frozen digest would have now. */
export async function countPlans(stores: Stores, draft: Draft, counting: Counting): Promise<VariantPlan[]> {
  const articleIds = draft.digest.content?.articles.map((article) => article.id) ?? []
  return plansOf(draft, await stores.audience.listGroups(audienceQueryOf(draft, articleIds), counting))
}

const plansOf = (draft: Draft, groups: ReaderGroup[]): VariantPlan[] =>
  planVariants(groups, { maxArticles: mostArticles(draft), isForAll: isLetter(draft.digest) })

/** A letter has as many as its editor chose. */
export const mostArticles = ({ digest, newsletter }: Draft): number =>
  isLetter(digest) ? mostInLetter : newsletter.maxArticles

export const audienceQueryOf = (
  { digest, newsletter }: Draft,
  articleIds: readonly number[],
): AudienceQuery => ({
  digestId: digest.id,
  newsletterId: newsletter.id,
  cadence: digest.cadence,
  isLetter: isLetter(digest),
  copyOf: digest.copyOf,
  articleIds,
  isWithinNewsletter: newsletter.repeats === 'within-newsletter',
})

/** The look-back ends where the digest is due, so that tomorrow's draft shows what will still be news tomorrow. */
export async function listDue(
  { now }: Pick<Parts, 'now'>,
  stores: Stores,
  { digest, newsletter }: Draft,
  picks?: PickedList[],
): Promise<Candidate[]> {
  if (digest.chosen || digest.cadence === 'alert') return []
  const at = dueAt(now(), digest)
  const schedule = newsletter.schedules.find((one) => one.cadence === digest.cadence)
  const since = lookBackStart(digest, schedule, at)
  const due = await stores.digestArticles.listDue(newsletter, { since, until: now() })
  const shown = picks ?? (await listPicks({ now }, stores, { digest, newsletter }))
  const ids = shown.flatMap((pick) => pick.articleIds)
  const picked = await stores.digestArticles.listPicked(newsletter, [...new Set(ids)])
  // Behind the first headline, so that the maximum cuts what is due before what somebody has chosen.
  const [lead = [], ...rest] = due.filter(({ id }) => !ids.includes(id))
  return [lead, picked, rest].flat()
}

const dueAt = (now: Date, { sendAt }: Digest): Date =>
  new Date(Math.max(now.getTime(), sendAt?.getTime() ?? 0))

/** Of the newsletter's blocks, those that readers see when the digest is due. */
async function listPicks(
  { now }: Pick<Parts, 'now'>,
  stores: Stores,
  { digest, newsletter }: Draft,
): Promise<PickedList[]> {
  const slugs = newsletter.blocks.flatMap((block) => (block.kind === 'picks' ? [block.slug] : []))
  return (await stores.picks.listBySlug(slugs)).filter((pick) => isShown(pick, dueAt(now(), digest)))
}

async function inOrder(stores: Stores, ids: number[], due: Candidate[]): Promise<Candidate[]> {
  const known = new Map(due.map((article) => [article.id, article]))
  const named = await stores.digestArticles.listByIds(ids.filter((id) => !known.has(id)))
  for (const article of named) known.set(article.id, article)
  return ids.map((id) => known.get(id)).filter((article) => article !== undefined)
}

/**
 * What at least one reader would get now; while nobody is subscribed, the first that fit. A story that every reader
 * has is no news for anyone, and what exceeds the maximum for all of them is counted and linked.
 */
async function selectForReaders(
  stores: Stores,
  draft: Draft,
  articles: Candidate[],
  counting: Counting,
): Promise<{ articles: Candidate[]; beyond: number; plans: VariantPlan[] }> {
  const maxArticles = mostArticles(draft)
  const ids = articles.map((article) => article.id)
  const groups = await stores.audience.listGroups(audienceQueryOf(draft, ids), counting)
  const plans = plansOf(draft, groups)
  const left = new Set(groups.length > 0 ? groups.flatMap((group) => group.articleIds) : ids)
  const set = new Set(
    groups.length > 0 ? plans.flatMap((plan) => plan.articleIds) : ids.slice(0, maxArticles),
  )
  return { articles: articles.filter((article) => set.has(article.id)), beyond: left.size - set.size, plans }
}

async function listMostRead(
  { config }: Pick<Parts, 'config'>,
  stores: Stores,
  newsletter: Newsletter,
  date: string,
): Promise<FrozenDigest['mostRead']> {
  if (!newsletter.blocks.some((block) => block.kind === 'most-read')) return []
  const rows = await stores.digestArticles.listMostRead(newsletter.language, date, mostReadInDigest)
  return rows.map((row) => ({ id: row.id, title: row.title, ...addressesOf(row, config.publicUrl) }))
}
