import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { textOf } from '../../domain/articles/article-html.ts'
import type { Article } from '../../domain/articles/article.ts'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import { isBarred } from '../../domain/deliverability/suppression.ts'
import type { Actor } from '../../domain/editor.ts'
import { show } from '../../domain/fields.ts'
import { changesOfResponses } from '../../domain/feeds/feed.ts'
import { responseHtml, withoutOverrides } from '../../domain/responses/response-html.ts'
import {
  decidedStates,
  longestResponse,
  respondAt,
  type DecidedState,
  type WrittenResponse,
} from '../../domain/responses/written-response.ts'
import { activationLifetimeMs, blockAfterRefusalMs } from '../../domain/signups/activation.ts'
import { mayMail } from '../../domain/signups/mail-limits.ts'
import {
  findAddress,
  hashAddress,
  hashForLimits,
  parseAddress,
  type Address,
} from '../../domain/subscribers/address.ts'
import { organisationOf } from '../../domain/subscribers/organisation.ts'
import { pageAge, pageAgeMs, sealPage } from '../../domain/subscribers/subscription-tokens.ts'
import { cleanLine } from '../../domain/text.ts'
import { noLink } from '../../domain/keyring.ts'
import { conflict, notFound } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import { safeHtml } from '../articles/safe-html.ts'
import { tellDesk } from '../desk/tell-desk.ts'
import type { PublicationService } from '../desk/publication.ts'
import { sha256 } from '../secret.ts'
import type { Parts } from '../parts.ts'
import { createFloodGate } from '../signups/flood.ts'
import type { SignupService } from '../signups/request.ts'
import { hourMs } from '../../domain/time.ts'

const responseForm = z.strictObject({
  name: z
    .string()
    .transform((name) => cleanLine(withoutOverrides(name)))
    .pipe(z.string().regex(/^.{1,100}$/u, 'must be a name of 1 to 100 characters')),
  email: z.string().refine((text) => findAddress(text) !== undefined, 'must be one e-mail address'),
  text: z
    .string()
    .max(longestResponse, 'must be 10,000 characters at most')
    .refine((text) => textOf(responseHtml(text)) !== '', 'must hold words'),
  website: z.string().max(1_000).optional(),
  stamp: z.string().max(200).optional(),
})

export const writtenShape = z.object({
  id: z.int(),
  state: z.enum(decidedStates),
  ...{
    kind: z.enum(['response', 'trackback']),
    guid: z.string(),
    author: z.string(),
    authorUrl: z.string().nullable(),
  },
  html: z.string().describe('Sanitised'),
  language: z.string(),
  article: z.string().describe('External id'),
  articleTitle: z.string(),
  writtenAt: z.iso.datetime(),
  heldAt: z.iso.datetime().nullable().describe('When it was confirmed by mail; of a trackback, when it came'),
  decidedAt: z.iso.datetime().nullable(),
})

type Asked = Omit<Parameters<Stores['writtenResponses']['insert']>[0], 'responderId' | 'mailedAt'>

/** Held within an hour: more are told of once, not one by one. */
const manyHeld = 50

/** What a link's page shows. */
export interface ConfirmPage {
  id: number
  state: 'open' | 'confirmed' | 'refused' | 'expired'
  written: WrittenResponse | undefined
}

/** Responses that are written on the pages here: confirmed by mail, held, and let through by a person. */
export function createWrittenResponseService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'keyring' | 'now'> & {
    publications: Pick<PublicationService, 'get'>
    signups: Pick<SignupService, 'isPerson'>
  },
) {
  const { config, database, doorbell, keyring, now, publications, signups } = parts
  const { stores } = database
  const gate = createFloodGate(stores.activations)
  const queueUrl = `${config.publicUrl}/desk/responses`

  /** Why no mail goes to an address; undefined where one may. */
  const objectionTo = async (tx: Stores, address: Address, isFlooded: boolean) => {
    const limits = hashForLimits(keyring, address)
    const suppression = await tx.suppressions.find(hashAddress(keyring, address))
    const sent = await tx.activationMails.list(limits)
    if (isBarred(suppression) || (suppression && sent.length > 0)) return 'suppressed'
    if ((await tx.activationMails.listBlocked(limits, now())).size > 0) return 'blocked'
    return isFlooded || !mayMail(sent, now()) ? 'limited' : undefined
  }

  /** The statements are the same for every address: how long they take tells nothing of it. */
  const ask = async (tx: Stores, address: Address, written: Asked, isFlooded: boolean): Promise<boolean> => {
    const [limit] = hashForLimits(keyring, address)
    await tx.activationMails.lock(limit)
    const responderId = await tx.writtenResponses.putResponder(address.text, now())
    const same = await tx.writtenResponses.findSame(written, responderId)
    const reason = same && same.state !== 'unconfirmed' ? 'known' : await objectionTo(tx, address, isFlooded)
    const mailedAt = reason === undefined ? now() : null
    const id = same?.id ?? (await tx.writtenResponses.insert({ ...written, responderId, mailedAt }))
    if (same && mailedAt) await tx.writtenResponses.updateMailed(id, mailedAt)
    await tx.outbox.insert({
      kind: 'response',
      responderId,
      address: address.text,
      language: written.language,
      payload: { responseId: id },
      expiresAt: new Date(now().getTime() + activationLifetimeMs),
      reason,
    })
    if (mailedAt) await tx.activationMails.insert(limit.hmac)
    return mailedAt !== null
  }

  const stateOf = ({ state, writtenAt }: WrittenResponse): ConfirmPage['state'] => {
    if (state !== 'unconfirmed') return 'confirmed'
    return writtenAt.getTime() + activationLifetimeMs <= now().getTime() ? 'expired' : 'open'
  }

  return {
    /**
     * Takes a response under an open article, and asks its writer to confirm. Whoever writes is answered the same.
     * @returns the article's language
     * @throws ZodError; DomainError `no_article`, `responses_closed`, `form_too_old`, `html_never_closed`
     */
    async respond(slug: string, body: unknown): Promise<string> {
      const name = slug.normalize()
      const article =
        (await stores.articles.findBySlug(name)) ?? (await stores.articles.findBySlugHistory(name))
      if (article?.state !== 'published') throw notFound('no_article', 'There is no article at this address.')
      if (respondAt(article, await publications.get(), config.publicUrl) !== 'here') throw closed()
      const input = responseForm.parse(body)
      const address = parseAddress(input.email)
      const html = responseHtml(input.text)
      const { language } = article
      if (!signups.isPerson(input)) return language
      const written = {
        articleId: article.id,
        kind: 'response' as const,
        guid: `urn:uuid:${randomUUID()}`,
        author: input.name,
        authorUrl: null,
        html,
        language,
        writtenAt: now(),
      }
      const held = await gate.findHeld()
      const isFlooded = held === '*' || held.includes(organisationOf(address.domain))
      const isMailed = await database.transaction((tx) => ask(tx, address, written, isFlooded))
      if (isMailed) await gate.take({ address: address.text, form: 'response' })
      await doorbell.ring('deliver-mail', {})
      return language
    },

    /** Changes nothing. @throws DomainError `no_link` */
    async open(token: string): Promise<ConfirmPage> {
      const id = Number(keyring.open('response', token) ?? NaN)
      if (!Number.isSafeInteger(id)) throw noLink()
      const found = await stores.writtenResponses.find(id)
      const written = found && (await sanitised(found))
      return { id, written, state: written ? stateOf(written) : 'expired' }
    },

    /** For the form of its page: proves that the page was shown, and for how long. */
    nonceOf: ({ id }: ConfirmPage): string => sealPage(keyring, `response-${id}`, now()),

    /** As of an activation's page: machines press every button at once. */
    isPressed({ id }: ConfirmPage, nonce: string): boolean {
      const age = pageAgeMs(keyring, nonce, { name: `response-${id}`, now: now() })
      return age !== undefined && age >= pageAge.leastMs && age < pageAge.mostMs
    },

    /** Any number of times. The same words of somebody else under the same article are passed over. */
    async confirm(id: number): Promise<ConfirmPage['state']> {
      const state = await database.transaction(async (tx) => {
        const written = await tx.writtenResponses.lock(id)
        if (!written) return 'expired'
        if (stateOf(written) !== 'open') return stateOf(written)
        if (written.address) await tx.writtenResponses.putResponder(written.address, now())
        if (await tx.writtenResponses.findSame(written)) await tx.writtenResponses.delete(id)
        else await this.hold(tx, written)
        return 'confirmed'
      })
      await doorbell.ring('deliver-mail', {})
      return state
    },

    /** Waits for a person from now on; who has to know is told. Ring `deliver-mail` after the commit. */
    async hold(tx: Stores, { id, articleId }: Pick<WrittenResponse, 'id' | 'articleId'>): Promise<void> {
      await tx.writtenResponses.markHeld(id, now())
      const [article] = await tx.articles.listByIds([articleId])
      if (article) await tellAuthors(tx, article)
      const count = await tx.writtenResponses.countHeld(new Date(now().getTime() - hourMs))
      if (count < manyHeld) return
      const once = now().toISOString().slice(0, 13)
      await tellDesk(tx, { once, notice: 'responses_many', values: { count }, url: queueUrl })
    },

    /** "Not me": the response goes, and no mail asks this address to confirm anything for 90 days. */
    async refuse(id: number): Promise<ConfirmPage['state']> {
      return database.transaction(async (tx) => {
        const written = await tx.writtenResponses.lock(id)
        if (!written?.address) return 'expired'
        if (stateOf(written) !== 'open') return stateOf(written)
        const [limit] = hashForLimits(keyring, parseAddress(written.address))
        await tx.activationMails.putBlock(limit.hmac, new Date(now().getTime() + blockAfterRefusalMs))
        await tx.writtenResponses.delete(id)
        return 'refused'
      })
    },

    async list(state: DecidedState, request: PageRequest): Promise<Page<WrittenResponse>> {
      const found = await stores.writtenResponses.list(state, request)
      return toPage(await Promise.all(found.map(sanitised)), request.limit, ({ id }) => [id])
    },

    /** Lets a response through, or keeps it from readers; each may be decided anew, or wait again. @throws DomainError `no_response` */
    async decide(id: number, state: DecidedState, actor: Actor): Promise<WrittenResponse> {
      const decided = await database.transaction(async (tx) => {
        const written = await tx.writtenResponses.lock(id)
        if (!written || written.state === 'unconfirmed')
          throw notFound('no_response', 'There is no response of this id that waits, or was decided about.')
        if (written.state === state) return written
        await markResponse(tx, written, state)
        const decidedAt = state === 'held' ? null : now()
        await tx.writtenResponses.markDecided(id, state, decidedAt)
        await tx.audit.insert(actor, `response.${state}`, `response:${id}`, {
          article: written.article.externalId,
        })
        return { ...written, state, decidedAt }
      })
      await doorbell.ring('render-feeds', {})
      return decided
    },

    /** As the API shows it: without the address. */
    toShape: ({ article, ...written }: WrittenResponse) =>
      show(writtenShape, { ...written, article: article.externalId, articleTitle: article.title }),
  }

  async function markResponse(tx: Stores, written: WrittenResponse, state: DecidedState) {
    const { id, articleId, kind, guid, author, authorUrl, html, article } = written
    const externalId = `written-${id}`
    if (state !== 'published' && written.state !== 'published') return
    if (state !== 'published') await tx.responses.delete(articleId, externalId)
    else {
      const row = {
        articleId,
        externalId,
        kind,
        guid,
        author,
        html,
        publishedAt: now(),
        contentSha256: sha256(html),
      }
      await tx.responses.put([{ ...row, authorUrl: authorUrl ?? undefined }])
    }
    await tx.feedDocuments.markDirty(changesOfResponses(article))
  }

  async function tellAuthors(tx: Stores, { title, authors }: Article): Promise<void> {
    const slugs = authors.map(({ slug }) => slug)
    for (const { id, language } of await tx.editors.markTold(slugs, now()))
      await tx.outbox.insert({
        kind: 'desk-notice',
        editorId: id,
        language,
        payload: { notice: 'response_waits', values: { article: title }, url: queueUrl },
      })
  }
}

/** Once more: as with all that strangers write. */
const sanitised = async (written: WrittenResponse): Promise<WrittenResponse> => ({
  ...written,
  html: await safeHtml(written.html, undefined, '', 'response'),
})

export const closed = () =>
  conflict('responses_closed', 'Nobody can respond to this article here: its responses are closed.')
