import { localDateOf } from '../domain/cadence.ts'
import { contentHashOf, lookBackHours, type Digest } from '../domain/digest.ts'
import {
  contentOf,
  orderOf,
  planVariants,
  type Candidate,
  type VariantPlan,
} from '../domain/digest-content.ts'
import { articlePath } from '../domain/article.ts'
import type { FrozenDigest } from '../domain/frozen-digest.ts'
import type { Newsletter } from '../domain/newsletter.ts'
import type { Stores } from '../store/stores.ts'
import type { VariantQuery } from '../store/variants.ts'
import type { Parts } from './parts.ts'

const mostReadCount = 5
const hourMs = 3_600_000

export interface Draft {
  digest: Digest
  newsletter: Newsletter
  /** What readers would get now, where the refresh has counted it: on a long list that takes seconds. */
  plans?: VariantPlan[]
}

/**
 * Brings what a draft would hold now into its row: a new version where that differs from what was last seen, so
 * that an `If-Match` or an approval never covers a story nobody looked at. Does nothing to a frozen digest.
 * Call it in a transaction.
 */
export async function refreshDraft(
  parts: Pick<Parts, 'config' | 'now'>,
  stores: Stores,
  digestId: number,
): Promise<Draft> {
  const digest = await stores.digests.claim(digestId)
  const newsletter = await stores.newsletters.get(digest.newsletterId)
  if (digest.frozenAt || digest.state !== 'draft') return { digest, newsletter }
  const publication = await stores.publication.get()
  const due = await listDue(parts, stores, { digest, newsletter })
  const ordered = await inOrder(
    stores,
    orderOf(
      digest,
      due.map((article) => article.id),
    ),
    due,
  )
  const { articles, beyond, plans } = await selectForReaders(stores, { digest, newsletter }, ordered)
  const content = contentOf({
    digest,
    newsletter,
    publication,
    publicUrl: parts.config.publicUrl,
    replyTo: parts.config.mailReplyTo ?? publication.contactEmail,
    articles,
    beyond,
    mostRead: await listMostRead(parts, stores, newsletter, localDateOf(parts.now(), publication.zone)),
  })
  const hash = contentHashOf(content)
  if (hash === digest.contentHash) return { digest, newsletter, plans }
  await stores.digests.updateContent(digest.id, content, hash)
  await stores.digestArticles.putAll(digest.id, content.articles, digest.pinned)
  return { digest: await stores.digests.get(digest.id), newsletter, plans }
}

/** The versions of a digest, the largest first: as stored once it is prepared, as they would be now before. */
export async function listPlans(stores: Stores, draft: Draft): Promise<VariantPlan[]> {
  const { digest, newsletter, plans } = draft
  if (digest.audience !== undefined) return stores.variants.list(digest.id)
  const articleIds = digest.content?.articles.map((article) => article.id) ?? []
  return plans ?? stores.variants.listPlanned(variantQueryOf(draft, articleIds), newsletter.maxArticles)
}

export const variantQueryOf = (
  { digest, newsletter }: Draft,
  articleIds: readonly number[],
): VariantQuery => ({
  digestId: digest.id,
  newsletterId: newsletter.id,
  cadence: digest.cadence,
  articleIds,
  isWithinNewsletter: newsletter.repeats === 'within-newsletter',
})

/** The look-back ends where the digest is due, so that tomorrow's draft shows what will still be news tomorrow. */
export async function listDue(
  { now }: Pick<Parts, 'now'>,
  stores: Stores,
  { digest, newsletter }: Draft,
): Promise<Candidate[]> {
  if (digest.chosen || digest.cadence === 'alert') return []
  const at = Math.max(now().getTime(), digest.sendAt?.getTime() ?? 0)
  const since = new Date(at - lookBackHours[digest.cadence] * hourMs)
  return stores.digestArticles.listDue(newsletter, { since, until: now() })
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
): Promise<{ articles: Candidate[]; beyond: number; plans: VariantPlan[] }> {
  const { maxArticles } = draft.newsletter
  const ids = articles.map((article) => article.id)
  const groups = await stores.variants.listGroups(variantQueryOf(draft, ids))
  const plans = planVariants(groups, maxArticles)
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
  const rows = await stores.digestArticles.listMostRead(newsletter.language, date, mostReadCount)
  return rows.map(({ id, title, slug }) => ({ id, title, url: config.publicUrl + articlePath(slug) }))
}
