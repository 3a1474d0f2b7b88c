import { asSent, variantKeyOf, type VariantPlan } from '../../domain/digests/digest.ts'
import { listStrayQuotes, withoutArticles, type StrayQuote } from '../../domain/digests/digest-variant.ts'
import { atField, conflict, invalid, notFound } from '../../errors.ts'
import { listPlans, mostArticles, type Draft } from './draft.ts'
import type { DraftService } from './refresh-drafts.ts'
import type { Parts } from '../parts.ts'

export type DigestPreviewService = ReturnType<typeof createDigestPreviewService>

export type PreviewFormat = 'html' | 'text' | 'mime'

export interface Preview {
  subject: string
  body: string
  /** Of its HTML. */
  bytes: number
  /** Of the whole digest. */
  strayQuotes: StrayQuote[]
}

interface PreviewWish {
  variant?: string | undefined
  format: PreviewFormat
}

/** Mailbox providers cut a mail off at about this size. */
export const clipBytes = 102_000

/** What goes out, before it goes out: made by the very functions that make the mails. */
export function createDigestPreviewService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'mail' | 'now'> & {
    drafts: Pick<DraftService, 'getFresh'>
  },
) {
  const { database, doorbell, drafts, mail } = parts

  const show = async (draft: Draft, { variant, format }: PreviewWish): Promise<Preview> => {
    const content = asSent(contentOf(draft), draft.digest, parts.now())
    const plans = await listPlans(database.stores, draft.digest)
    const strayQuotes = listStrayQuotes(content, plans)
    const articleIds = articleIdsOf(draft, plans, variant)
    const gone = await database.stores.digestArticles.listGone([content])
    // Who has a story that was withdrawn since had it with these words.
    const lost = gone.filter(({ id }) => !articleIds.includes(id))
    const composed = await mail.composeDigest(withoutArticles(content, lost))
    const { subject, html, text } = mail.previewVariant(composed, articleIds)
    const bytes = Buffer.byteLength(html)
    if (format !== 'mime') return { subject, body: format === 'html' ? html : text, bytes, strayQuotes }
    const { publicUrl } = parts.config
    const providers = await database.stores.providers.listNames()
    const message = mail.personalise(mail.assembleVariant(composed, articleIds, { providers }), {
      to: 'lectrice@example.org',
      date: parts.now(),
      messageId: '<preview@example.org>',
      unsubscribeUrl: `${publicUrl}/unsubscribe/preview`,
      preferencesUrl: `${publicUrl}/preferences/preview`,
    })
    return { subject, body: Buffer.concat(message).toString(), bytes, strayQuotes }
  }

  return {
    /** Of a digest as it was read. @throws DomainError `no_variant` */
    show,

    /**
     * Of what the digest would hold now; on a long list that takes seconds.
     * @param wish `variant`: its id in the digest's `variants`; where absent, what most readers get
     * @throws DomainError `no_digest`, `no_variant`
     */
    get: async (id: number, wish: PreviewWish): Promise<Preview> => show(await drafts.getFresh(id), wish),

    /**
     * The same mail with a marked subject, to people of the desk; what most readers get.
     * @throws DomainError `no_digest`, `not_of_the_desk`
     */
    async sendTest(id: number, addresses: readonly string[]): Promise<number> {
      const draft = await drafts.getFresh(id)
      const articleIds = articleIdsOf(draft, await listPlans(database.stores, draft.digest), undefined)
      const sent = await database.transaction(async (stores) => {
        const desk = await stores.editors.list()
        for (const address of addresses) {
          const editor = desk.find(({ email }) => email.toLowerCase() === address.toLowerCase())
          if (!editor) throw notOfTheDesk(address)
          await stores.outbox.insert({
            kind: 'digest-test',
            editorId: editor.id,
            language: editor.language,
            payload: {
              digestId: id,
              articleIds: [...articleIds],
              contentHash: draft.digest.contentHash ?? '',
            },
          })
        }
        return addresses.length
      })
      await doorbell.ring('deliver-mail', {})
      return sent
    },

    /** Addresses that a test goes to where none is named: the editor's own, or everybody's for a program. */
    async listTestAddresses(editorId: number | undefined): Promise<string[]> {
      const desk = await database.stores.editors.list()
      return desk.filter(({ id }) => editorId === undefined || id === editorId).map(({ email }) => email)
    },
  }
}

const contentOf = ({ digest }: Draft) => {
  if (digest.content) return digest.content
  throw conflict('wrong_state', 'This digest was never composed: there is nothing to show.')
}

function articleIdsOf(
  draft: Draft,
  plans: readonly VariantPlan[],
  variant: string | undefined,
): readonly number[] {
  const all = contentOf(draft).articles.map((article) => article.id)
  if (variant === undefined) return plans[0]?.articleIds ?? all.slice(0, mostArticles(draft))
  const plan = plans.find(({ articleIds }) => variantKeyOf(articleIds) === variant)
  if (plan) return plan.articleIds
  throw notFound('no_variant', 'The digest has no such variant now; read its `variants` again.')
}

const notOfTheDesk = (address: string) =>
  invalid(
    'not_of_the_desk',
    'A test goes to people of the desk alone: add this address to it first.',
    atField('to', `${address.slice(0, 100)} is nobody of the desk`),
  )
