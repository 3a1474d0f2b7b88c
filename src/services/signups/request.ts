import { activationLifetimeMs } from '../../domain/signups/activation.ts'
import { hashForLimits, parseAddress, type Address } from '../../domain/subscribers/address.ts'
import { isOffered, type Newsletter } from '../../domain/newsletter.ts'
import { textIn } from '../../domain/publication.ts'
import type { Choices } from '../../domain/subscribers/subscription.ts'
import { atField, invalid, unavailable } from '../../errors.ts'
import { interfaceLanguageOf, translate } from '../../locales.ts'
import type { Parts } from '../parts.ts'
import type { PublicationService } from '../desk/publication.ts'
import { sha256 } from '../secret.ts'
import { createFormStamp } from './form-stamp.ts'
import { signupInput, type SignupInput, type Visitor } from './input.ts'
import { singleFlight } from '../single-flight.ts'

const sectionsOnForm = 12

export type SignupService = ReturnType<typeof createSignupService>

/**
 * Takes requests. Nothing here looks at who is known: the answer, the statements and the time they take are the same
 * for every address, and `decide-signups` does what differs.
 */
export function createSignupService(
  parts: Pick<Parts, 'database' | 'doorbell' | 'keyring' | 'now' | 'reach'> & {
    publications: Pick<PublicationService, 'get'>
  },
) {
  const { database, doorbell, keyring, now, publications, reach } = parts
  const { stores } = database
  const formStamp = createFormStamp({ keyring, now })

  const listNewsletters = singleFlight(() => stores.newsletters.list())
  const listSections = singleFlight(() => stores.selections.list('section'))
  const listOnForm = singleFlight(async () => ({
    sections: await stores.selections.list('section'),
    /** An archive may have hundreds of sections: the form lists the leading ones, the preferences all. */
    leadingSections: await stores.selections.listLeading('section', sectionsOnForm),
  }))

  let rings = 0
  let rungAt = -Infinity
  let isRingDue = false
  /** Wakes a worker: at once, and of a crowd now and then; in turn by other numbers, for a dead one may hold the job of one. */
  const ring = async (): Promise<void> => {
    if (isRingDue) return
    const waitMs = rungAt + ringEveryMs - performance.now()
    isRingDue = waitMs > 0
    if (isRingDue) {
      // Nobody waits for it: what a process that ends leaves unsaid, the reconciler finds.
      setTimeout(() => {
        isRingDue = false
        void ring()
      }, waitMs).unref()
      return
    }
    rungAt = performance.now()
    rings = (rings + 1) % wakeUps
    await doorbell.ring('decide-signups', {}, rings)
  }

  const request = async ({ address, visitor, consentText, policyVersion, ...wish }: Wish) => {
    const [limit] = hashForLimits(keyring, address)
    const at = now()
    reach('before-request')
    await stores.activations.insert({
      ...wish,
      address: address.text,
      limit,
      createdAt: at,
      expiresAt: new Date(at.getTime() + activationLifetimeMs),
      browserSha256: visitor.browser === undefined ? undefined : sha256(visitor.browser),
      consent: {
        text: consentText,
        policyVersion,
        ipPrefix: visitor.ipPrefix,
        userAgentSha256: visitor.userAgent === undefined ? undefined : sha256(visitor.userAgent),
      },
    })
    reach('after-request')
    await ring()
    reach('after-ring')
  }

  return {
    ...formStamp,

    /** What the signup form offers: a hidden or paused newsletter in its own form alone. @param named slugs */
    async offer(named: readonly string[] = []) {
      const newsletters = await listNewsletters()
      const isNamed = ({ slug, state }: Newsletter) => state !== 'ended' && named.includes(slug)
      return {
        newsletters: newsletters.filter((one) => isOffered(one) || isNamed(one)),
        ...(await listOnForm()),
      }
    },

    /**
     * Reads and checks a signup by its text alone.
     * @throws ZodError; DomainError `invalid_address`, `newsletter_needed`, `unknown_newsletter`, `newsletter_ended`,
     *   `unknown_section`, `form_too_old`
     */
    async read(body: unknown, language: string): Promise<SignupRequest> {
      const input = signupInput.parse(body)
      const address = parseAddress(input.email)
      const chosen = chooseNewsletters(await listNewsletters(), input, language)
      if (input.sections.length > 0) {
        const known = (await listSections()).flatMap(({ slug, formerly }) => [slug, ...formerly])
        requireKnown(input.sections, new Set(known), 'section')
      }
      return {
        address,
        language: input.language ?? interfaceLanguageOf(language),
        wanted: {
          newsletters: chosen.map((newsletter) => newsletter.slug),
          cadence: input.cadence ?? chosen[0]?.cadences[0]?.cadence ?? 'daily',
          alerts: input.alerts,
          sections: input.sections,
        },
        names: chosen.map((newsletter) => newsletter.name),
        form: input.form ?? 'page',
        isMailable: formStamp.isPerson(input),
      }
    },

    /** Records the request and its consent; whoever asks is answered the same. */
    async signUp(signup: SignupRequest, visitor: Visitor): Promise<void> {
      const { names, ...wish } = signup
      const publication = await publications.get()
      await request({
        ...wish,
        kind: 'signup',
        visitor,
        consentText: consentTextOf(signup.language, textIn(publication.name, signup.language), names),
        policyVersion: publication.policyVersion,
      })
    },

    /** "Mail me my link": decided later, so that the answer cannot tell who is known. @throws DomainError `invalid_address` */
    async requestLink(email: string, visitor: Visitor): Promise<void> {
      const address = parseAddress(email)
      await request({ ...bareWish(visitor), kind: 'preferences-link', address })
    },

    /** A new address is proved like a signup, in the subscriber's language. @throws DomainError `invalid_address` */
    async requestAddressChange(subscriberId: number, email: string, visitor: Visitor): Promise<void> {
      const address = parseAddress(email)
      const { language } = await stores.subscribers.get(subscriberId)
      await request({ ...bareWish({ ...visitor, language }), kind: 'address-change', address, subscriberId })
    },

    /** The same request once more, for whoever holds its expired link. */
    async repeat(id: string, visitor: Visitor): Promise<void> {
      const expired = await stores.activations.find(id)
      if (!expired?.address || expired.kind !== 'signup') return
      await this.signUp(
        {
          address: parseAddress(expired.address),
          language: interfaceLanguageOf(expired.language),
          wanted: expired.wanted,
          names: [],
          form: 'resend',
          isMailable: true,
        },
        visitor,
      )
    },
  }
}

const ringEveryMs = 100

/** So many rings of one process may wait at once. */
const wakeUps = 4

export interface SignupRequest {
  address: Address
  language: string
  wanted: Choices
  /** Of the newsletters, for the consent text. */
  names: string[]
  form: string
  isMailable: boolean
}

interface Wish extends Omit<SignupRequest, 'names'> {
  kind: 'signup' | 'address-change' | 'preferences-link'
  visitor: Visitor
  consentText: string
  policyVersion: string
  subscriberId?: number
}

const bareWish = (visitor: Visitor) => ({
  visitor,
  language: interfaceLanguageOf(visitor.language),
  wanted: { newsletters: [], cadence: 'daily' as const, alerts: false, sections: [] },
  form: 'preferences',
  isMailable: true,
  consentText: '',
  policyVersion: '',
})

/** The words someone agreed to, in their language: shown beside the button, kept in the record. */
export const consentTextOf = (language: string, publication: string, names: string[]): string =>
  translate(interfaceLanguageOf(language), 'subscribe.consent', {
    publication,
    newsletters: names.join(language === 'ar' ? '، ' : ', '),
  })

function chooseNewsletters(offered: Newsletter[], input: SignupInput, language: string): Newsletter[] {
  if (input.newsletters?.length === 0) {
    throw invalid(
      'newsletter_needed',
      'No newsletter is chosen; choose at least one.',
      atField('newsletters', 'must name at least one newsletter, or be left out for the first one'),
    )
  }
  if (input.newsletters === undefined) {
    const listed = offered.filter(isOffered)
    const fallback = listed.find((newsletter) => newsletter.language === language) ?? listed[0]
    if (!fallback) {
      throw unavailable('no_newsletters', 'There is no newsletter to subscribe to yet.')
    }
    return [fallback]
  }
  requireKnown(input.newsletters, new Set(offered.map((newsletter) => newsletter.slug)), 'newsletter')
  const wanted = new Set(input.newsletters)
  const chosen = offered.filter((newsletter) => wanted.has(newsletter.slug))
  const ended = chosen.find(({ state }) => state === 'ended')
  if (!ended) return chosen
  const sentence = `“${ended.name}” has ended; choose from the newsletters on the form.`
  throw invalid(
    'newsletter_ended',
    sentence,
    atField('newsletters', 'must be slugs of newsletters that go on'),
  )
}

function requireKnown(slugs: string[], known: Set<string>, noun: 'newsletter' | 'section'): void {
  const unknown = slugs.filter((slug) => !known.has(slug))
  if (unknown.length === 0) return
  throw invalid(
    `unknown_${noun}`,
    `There is no such ${noun}; choose from those on the form.`,
    atField(`${noun}s`, `must be slugs of ${noun}s that exist`),
  )
}
