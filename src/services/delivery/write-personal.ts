import { LRUCache } from 'lru-cache'
import type { ProviderName } from '../../domain/deliverability/provider-event.ts'
import { asSent } from '../../domain/digests/digest.ts'
import { newsletterPath } from '../../domain/newsletter.ts'
import { deskNotices } from '../../domain/notice.ts'
import { beginningOf } from '../../domain/responses/response-html.ts'
import { publicationIn, type Publication } from '../../domain/publication.ts'
import type { Choices } from '../../domain/subscribers/subscription.ts'
import type { Offer, PersonalContent } from '../../mail/mail.ts'
import type { ClaimedMail } from '../../store/delivery/outbox.ts'
import { renderMarkdown } from '../articles/safe-html.ts'
import type { InvitationService } from '../desk/invitations.ts'
import type { SignInService } from '../desk/sign-in.ts'
import type { Parts } from '../parts.ts'
import type { SubscriptionLinks } from '../subscribers/links.ts'
import type { MailWriter } from './send-one.ts'

type WriterParts = Pick<Parts, 'config' | 'database' | 'mail' | 'signer' | 'now'> & {
  links: SubscriptionLinks
  signIn: Pick<SignInService, 'createLinkFor'>
  invitations: Pick<InvitationService, 'linkOf'>
  expectations: { listOffers: (wanted: Choices) => Promise<Offer[]> }
}

/** So old may be what a run has read: a crowd that signs up is told the same. */
const freshMs = 1_000

/** Writes the mails of the outbox, each from its rows as they are now. */
export const createPersonalWriter = (parts: WriterParts) => (): MailWriter => {
  const { database, mail, signer } = parts
  const { stores } = database
  const common = new LRUCache<'now', { publication: Publication; providers: ProviderName[] }>({
    max: 1,
    ttl: freshMs,
    fetchMethod: async () => ({
      publication: await stores.publication.get(),
      providers: await stores.providers.listNames(),
    }),
  })
  const offers = new LRUCache<string, Offer[]>({
    max: 100,
    ttl: freshMs,
    fetchMethod: (wanted) => parts.expectations.listOffers(JSON.parse(wanted) as Choices),
  })
  const listOffers = (wanted: Choices) => offers.forceFetch(JSON.stringify(wanted))

  const finish = async ({ key: outboxId }: ClaimedMail, message: Buffer[]) => {
    const reference = { kind: 'outbox', outboxId } as const
    return {
      messageId: mail.messageId(reference),
      from: mail.returnPath(reference),
      envelopeId: mail.envelopeId(reference),
      message: await signer.sign(message),
    }
  }

  return async (row) => {
    if (row.kind === 'digest-test') return finish(row, await writeTest(parts, row))
    const { publication: stored, providers } = await common.forceFetch('now')
    const language = row.language ?? stored.languages[0] ?? 'en'
    const publication = publicationIn(stored, language)
    const content = await contentOf({ ...parts, expectations: { listOffers } }, row)
    const message = mail.personalMessage(await mail.composePersonal(content, publication, language), {
      to: row.address,
      kind: content.kind,
      reference: { kind: 'outbox', outboxId: row.key },
      publication,
      providers,
      own: content.kind === 'welcome' ? content : undefined,
    })
    return finish(row, message)
  }
}

async function contentOf(parts: WriterParts, row: ClaimedMail): Promise<PersonalContent> {
  const { config, database, links, signIn, invitations } = parts
  const { stores } = database
  switch (row.kind) {
    case 'activation':
    case 'reminder':
      return {
        kind: row.kind,
        newsletters: await parts.expectations.listOffers(required(row.wanted)),
        address: row.address,
        activateUrl: links.activationUrl(required(row.activationId)),
        refuseUrl: links.refuseUrl(required(row.activationId)),
        expiresAt: row.linkExpiresAt ?? row.expiresAt,
      }
    case 'already-subscribed':
      return {
        kind: row.kind,
        newsletters: await namesOf(parts, row.payload.newsletters),
        preferencesUrl: links.freshPreferencesUrl(required(row.subscriberId)),
      }
    case 'preferences-link':
      return {
        kind: row.kind,
        preferencesUrl: links.freshPreferencesUrl(required(row.subscriberId)),
        expiresAt: row.expiresAt,
      }
    case 'address-change':
      return {
        kind: row.kind,
        activateUrl: links.activationUrl(required(row.activationId)),
        expiresAt: row.linkExpiresAt ?? row.expiresAt,
      }
    case 'address-changed':
      return { kind: row.kind }
    case 'newsletter-ended': {
      const { id, slug, name } = await stores.newsletters.getBySlug(row.payload.newsletter)
      const [latest] = await stores.digests.listArchive(id, 1)
      return {
        kind: row.kind,
        newsletter: name,
        archiveUrl: latest && config.publicUrl + newsletterPath(slug),
      }
    }
    case 'welcome': {
      const subscriberId = required(row.subscriberId)
      const newsletter = await stores.newsletters.getBySlug(row.payload.newsletter)
      const [latest] = await stores.digests.listArchive(newsletter.id, 1)
      return {
        kind: row.kind,
        newsletter: newsletter.name,
        wordsHtml: await renderMarkdown(newsletter.welcome ?? '', config.publicUrl),
        pageUrl: config.publicUrl + newsletterPath(newsletter.slug),
        latestUrl: latest && `${config.publicUrl}/digests/${latest.id}`,
        preferencesUrl: links.preferencesUrl(subscriberId),
        unsubscribeUrl: links.unsubscribeUrl({ subscriberId, newsletterId: newsletter.id, digestId: 0 }),
        replyTo: newsletter.replyTo,
      }
    }
    case 'sign-in':
      return {
        kind: row.kind,
        signInUrl: await signIn.createLinkFor(required(row.editorId)),
        expiresAt: row.expiresAt,
      }
    case 'invitation':
      return { kind: row.kind, signInUrl: invitations.linkOf(row.payload), expiresAt: row.expiresAt }
    case 'response': {
      const { responseId } = row.payload
      const written = required((await stores.writtenResponses.find(responseId)) ?? null)
      const url = links.responseUrl(responseId)
      return {
        kind: row.kind,
        article: written.article.title,
        beginning: beginningOf(written.html),
        confirmUrl: url,
        refuseUrl: `${url}?refuse=1`,
        expiresAt: row.expiresAt,
      }
    }
    case 'desk-notice':
      return {
        kind: row.kind,
        ...row.payload,
        notice: deskNotices.find((known) => known === row.payload.notice) ?? 'generic',
      }
    case 'digest-test':
      throw new Error('a test is written like its digest')
  }
}

/** The digest as it was when the test was asked for; its links lead to pages that need no person. */
async function writeTest(
  { config, database, mail, now }: WriterParts,
  row: Extract<ClaimedMail, { kind: 'digest-test' }>,
): Promise<Buffer[]> {
  const { digestId, articleIds } = row.payload
  const digest = await database.stores.digests.get(digestId)
  if (!digest.content) throw new Error('a digest to be tested has no content')
  const composed = await mail.composeDigest(asSent(digest.content, digest, now()))
  const unpersonal = `${config.publicUrl}/preferences`
  const providers = await database.stores.providers.listNames()
  return mail.personalise(mail.assembleVariant(composed, articleIds, { isTest: true, providers }), {
    to: row.address,
    messageId: mail.messageId({ kind: 'outbox', outboxId: row.key }),
    date: now(),
    unsubscribeUrl: unpersonal,
    preferencesUrl: unpersonal,
  })
}

/** In the order they were chosen; one that is gone meanwhile is left out. */
async function namesOf({ database }: WriterParts, slugs: string[] = []): Promise<string[]> {
  const newsletters = await database.stores.newsletters.list()
  return slugs.flatMap((slug) => newsletters.find((one) => one.slug === slug)?.name ?? [])
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error('a mail has lost the row it is about')
  return value
}
