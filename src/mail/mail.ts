import { createHash } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { localeOf } from '../domain/language.ts'
import type { FrozenDigest } from '../domain/digests/frozen-digest.ts'
import {
  messageIdAt,
  returnAddressAt,
  sealReference,
  unsubscribeAddressAt,
  type MailReference,
} from '../domain/delivery/mail-reference.ts'
import type { ProviderName } from '../domain/deliverability/provider-event.ts'
import { mailContactsOf, publicationIn, type Publication, type PublicationIn } from '../domain/publication.ts'
import type { Keyring } from '../domain/keyring.ts'
import { interfaceLanguageOf, translate } from '../locales.ts'
import { composeDigest, composeVariant, composeWebVersion, type DigestParts } from './compose/compose.ts'
import { buildPersonalMessage, buildSkeleton, personalise } from './message/message.ts'
import { composePersonal, type ComposedMail, type PersonalContent } from './compose/personal.ts'
import { domainOf } from '../domain/subscribers/address.ts'
import { createSenders, findSenderFault, readMailbox } from './senders.ts'
import { lasting } from './lasting.ts'
import { loadTemplates } from './compose/templates.ts'

export type { DigestParts } from './compose/compose.ts'
export type { Recipient, Skeleton } from './message/message.ts'
export type { Offer, PersonalContent } from './compose/personal.ts'

export interface MailOptions {
  publicUrl: string
  mailFrom: string | undefined
  mailReplyTo: string | undefined
  bounceDomain: string | undefined
  /** Undefined: this installation reads no mail. */
  inboundPort: number | undefined
  dkim: { domain: string } | undefined
  /** Whether a digest has a PDF to link to. */
  hasEditions?: boolean
  keyring: Keyring
  now: () => Date
}

/** A newsletter that may have a sender of its own. */
interface Sending {
  from?: string | null | undefined
}

/** Makes the bytes of mails: of a frozen digest, and of a reason to write to one person. */
export type Mail = ReturnType<typeof createMail>

export interface VariantOptions {
  isTest?: boolean
  /** Whose events we read: they are handed our seal. */
  providers?: readonly ProviderName[]
}

export interface PersonalEnvelope {
  to: string
  kind: PersonalContent['kind']
  reference: MailReference
  publication: PublicationIn
  /** Whose events we read. */
  providers?: readonly ProviderName[]
  /** Of a newsletter that speaks for itself. */
  own?: { replyTo: string | null; unsubscribeUrl: string } | undefined
}

/** A compiler that fails at once would otherwise be started for every mail. */
const retryMs = 5_000
const templates = lasting(loadTemplates, retryMs)

export function createMail(options: MailOptions) {
  const { keyring } = options
  const senders = createSenders(options)
  const replyTo = options.mailReplyTo === undefined ? undefined : readMailbox(options.mailReplyTo)
  const digestDomain = (newsletter?: Sending) =>
    domainOf(senders.digest({ name: '', from: newsletter?.from }).address)

  return {
    /** Reads the templates; every other call does so where it is needed. @throws Error naming template and line */
    async checkTemplates(): Promise<void> {
      await templates.get()
    },
    /** Whether reading them failed when it was last tried. */
    hasBrokenTemplates: () => templates.hasFailed(),
    /** Once per digest and process; a few milliseconds after the first. @throws DomainError `digest_too_large`, `digest_link` */
    composeDigest: async (frozen: FrozenDigest): Promise<DigestParts> =>
      composeDigest(frozen, await templates.get(), options.hasEditions),
    /** Once per variant: a pure function of the frozen digest. All articles where `articleIds` is absent. */
    assembleVariant(parts: DigestParts, articleIds?: readonly number[], variant: VariantOptions = {}) {
      const { newsletter, publication, digestId, cadence } = parts.frozen
      const composed = composeVariant(parts, articleIds, variant)
      const from = senders.digest(newsletter)
      return buildSkeleton({
        from,
        replyTo: newsletter.replyTo === undefined ? replyTo : readMailbox(newsletter.replyTo),
        subject: variant.isTest ? testSubject(newsletter.language, composed.subject) : composed.subject,
        list: {
          id: `${listLabel(newsletter.slug)}.lists.${domainOf(from.address)}`,
          name: newsletter.name,
          helpUrl: `${publication.publicUrl}/preferences`,
          archiveUrl: `${publication.publicUrl}/newsletters/${encodeURIComponent(newsletter.slug)}`,
        },
        isOneClick: !variant.isTest,
        feedbackId: `${digestId}:${listLabel(newsletter.slug)}:${cadence}:${senderId(domainOf(from.address))}`,
        providers: variant.providers ?? [],
        html: composed.html,
        text: composed.text,
      })
    },
    /** Of the sender of a newsletter's digests. */
    senderDomain: digestDomain,
    /** Once per recipient: joins buffers. */
    personalise,
    /** What a variant looks like, for previews: the parts before they are encoded, with `#` for personal links. */
    previewVariant(parts: DigestParts, articleIds?: readonly number[]): ComposedMail {
      const { subject, html, text } = composeVariant(parts, articleIds)
      return { subject, html: withoutMarks(html), text: withoutMarks(text) }
    },
    /** The page `/digests/{id}`: every article, nobody's links. */
    renderWeb: composeWebVersion,
    async composePersonal(content: PersonalContent, publication: Publication, language: string) {
      const own = publicationIn(publication, language)
      const reader = {
        language,
        locale: localeOf(publication, interfaceLanguageOf(language)),
        publication: { ...own, contacts: mailContactsOf(own), postalAddress: own.postalAddress ?? '' },
      }
      return composePersonal(content, reader, await templates.get())
    },
    personalMessage(
      mail: ComposedMail,
      { to, kind, reference, publication, providers = [], own }: PersonalEnvelope,
    ): Buffer[] {
      const from = senders.personal(publication.name)
      const answers = own?.replyTo ?? options.mailReplyTo ?? publication.contactEmail ?? undefined
      return buildPersonalMessage({
        ...mail,
        from,
        to,
        replyTo: answers === undefined ? undefined : readMailbox(answers),
        unsubscribeUrl: own?.unsubscribeUrl,
        messageId: messageIdAt(domainOf(from.address), keyring, reference),
        date: options.now(),
        feedbackId: `personal:${kind}:${senderId(domainOf(from.address))}`,
        providers,
      })
    },
    /** The same for every attempt at one mail, under the sender's domain. */
    messageId(reference: MailReference, newsletter?: Sending): string {
      const domain =
        reference.kind === 'digest' ? digestDomain(newsletter) : domainOf(senders.personal('').address)
      return messageIdAt(domain, keyring, reference)
    },
    /** The return path: one of its own where BOUNCE_DOMAIN is set, else the sender's address. */
    returnPath(reference: MailReference, newsletter?: Sending & { name: string }): string {
      if (options.bounceDomain !== undefined) {
        return returnAddressAt(options.bounceDomain, keyring, reference)
      }
      return (newsletter ? senders.digest(newsletter) : senders.personal('')).address
    },
    /**
     * What is wrong with a newsletter's own sender: not one mailbox, or at a domain that our signature does not speak
     * for, so that receivers would refuse it under DMARC.
     */
    findSenderFault: (from: string) => findSenderFault(from, options.dkim?.domain),
    /** ENVID for a delivery report. */
    envelopeId: (reference: MailReference) => sealReference(keyring, 'bounce', reference),
    /** For List-Unsubscribe; undefined where this installation reads no mail. */
    unsubscribeMailto(reference: MailReference): string | undefined {
      if (options.bounceDomain === undefined || options.inboundPort === undefined) return undefined
      return `mailto:${unsubscribeAddressAt(options.bounceDomain, keyring, reference)}?subject=unsubscribe`
    },
  }
}

const withoutMarks = (text: string): string => text.replace(/\ufdd0\w+\ufdd1(?:#[^\s"]*)?/g, '#')

const testSubject = (language: string, subject: string): string =>
  translate(interfaceLanguageOf(language), 'mail.digest.test_subject', { subject })

/** RFC 2919 wants a name of the domain system, and slugs keep Arabic letters; what cannot be one gets a name by hash. */
function listLabel(slug: string): string {
  const label = domainToASCII(slug)
  if (/^[a-z0-9_-]{1,63}$/.test(label)) return label
  return `list-${createHash('sha256').update(slug).digest('hex').slice(0, 16)}`
}

/** Google's SenderId: 5 to 15 characters, the same for all mail of a sender. */
const senderId = (domain: string): string =>
  domain
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 15)
    .padEnd(5, 'x')
