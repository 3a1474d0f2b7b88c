import { isDeepStrictEqual } from 'node:util'
import {
  cadencesOf,
  newsletterPath,
  schedulesOf,
  type Cadence,
  type CadenceRule,
  type Newsletter,
  type Schedule,
} from '../../domain/newsletter.ts'
import { nextOccurrence } from '../../domain/digests/cadence.ts'
import type { Actor } from '../../domain/editor.ts'
import type { Stores } from '../../store/stores.ts'
import { endSubscriptions } from '../subscribers/end-subscriptions.ts'
import { withoutUndefined } from '../../domain/fields.ts'
import { atField, conflict, forbidden, invalid } from '../../errors.ts'
import { newsletterChange, newsletterInput, type NewsletterChange, type NewsletterInput } from './input.ts'
import { changesBetween } from '../desk/audit.ts'
import type { Parts } from '../parts.ts'

export function createNewsletterService(parts: Pick<Parts, 'config' | 'database' | 'mail'>) {
  const { config, database, mail } = parts
  const assertSender = (from: string | null | undefined) => {
    const fault = from ? mail.findSenderFault(from) : undefined
    if (fault) throw senderFaults[fault]()
  }

  return {
    /** In the publication's order; the first is the one that signup offers first. */
    list: (): Promise<Newsletter[]> => database.stores.newsletters.list(),

    /** What people call each, by slug: rows that name a newsletter carry its slug. */
    async names(): Promise<Record<string, { name: string; language: string }>> {
      const newsletters = await database.stores.newsletters.list()
      return Object.fromEntries(newsletters.map(({ slug, name, language }) => [slug, { name, language }]))
    },

    /** Each with how many are actively subscribed. */
    async listWithReaders(): Promise<(Newsletter & { readers: number })[]> {
      const readers = await database.stores.newsletters.countReaders()
      const newsletters = await database.stores.newsletters.list()
      return newsletters.map((newsletter) => ({ ...newsletter, readers: readers.get(newsletter.id) ?? 0 }))
    },

    /** Readers who would get nothing any more, were these the cadences. */
    countStranded: (newsletter: Newsletter, cadences: string[]): Promise<number> =>
      database.stores.subscriptions.countActive(newsletter.id, strandedBy(newsletter, cadences)),

    /** Who is actively subscribed. */
    countReaders: async (id: number): Promise<number> =>
      (await database.stores.newsletters.countReaders()).get(id) ?? 0,

    /** @throws DomainError `no_newsletter` */
    get: (slug: string): Promise<Newsletter> => database.stores.newsletters.getBySlug(slug),

    /**
     * @throws ZodError; DomainError `newsletter_exists`, `min_exceeds_max`, `no_occurrence`, `invalid_sender`,
     *   `unaligned_sender`, `needs_admin` for a sender of its own
     */
    async create(input: NewsletterInput, actor: Actor): Promise<Newsletter> {
      const fields = newsletterInput.parse(input)
      const newsletter = { ...fields, ...inAgreement(fields, { cadences: [], schedules: [] }) }
      requireRange(newsletter)
      assertSender(newsletter.from)
      if (newsletter.from) requireAdmin(actor, 'from')
      return database.transaction(async (stores) => {
        await requireOccurrences(stores, newsletter)
        const inserted = await stores.newsletters.insert(newsletter)
        if (!inserted) {
          const sentence = `There is a newsletter ${newsletter.slug} already: change it, or choose another slug.`
          throw conflict('newsletter_exists', sentence, atField('slug', 'is taken'))
        }
        await stores.audit.insert(actor, 'newsletter.created', `newsletter:${inserted.slug}`)
        return inserted
      })
    },

    /**
     * Keeps what `change` leaves out. An approval is weakened by admins alone: it is there to stop editors. Readers of a
     * daily that is given up get the weekly; a cadence whose readers would get nothing stays.
     * @throws as `create` does; DomainError `no_newsletter`, `cadence_has_readers`
     */
    async change(slug: string, change: NewsletterChange, actor: Actor): Promise<Newsletter> {
      const fields = newsletterChange.parse(change)
      return database.transaction(async (stores) => {
        const { id } = await stores.newsletters.getBySlug(slug)
        // Digests first, as whoever sends one locks them.
        if (fields.state === 'paused' || fields.state === 'ended')
          await stores.runningDigests.stopAll(id, fields.state)
        await stores.newsletters.claim(id)
        const before = await stores.newsletters.get(id)
        // A sender from before a change of keys must not keep the rest from being changed.
        if (fields.from !== before.from) assertSender(fields.from)
        const { id: _i, createdAt: _c, updatedAt: _u, ...kept } = before
        const given = { ...withoutUndefined(fields), ...inAgreement(fields, before) }
        const after = { ...kept, ...given }
        requireRange(after)
        await requireOccurrences(stores, after)
        if (strictness.indexOf(after.approval) < strictness.indexOf(before.approval))
          requireAdmin(actor, 'approval')
        if (after.from !== before.from) requireAdmin(actor, 'from')
        const moved = after.state === 'ended' ? 0 : await moveReaders(stores, before, after)
        const changes = { ...changesBetween(kept, given), ...(moved > 0 && { moved }) }
        await stores.audit.insert(actor, 'newsletter.changed', `newsletter:${slug}`, changes)
        return stores.newsletters.update(id, after)
      })
    },

    /** Ends the subscriptions of newsletters that have ended, and tells those who got them, once. */
    async endReaders(): Promise<void> {
      for (const newsletter of await database.stores.newsletters.list()) {
        if (newsletter.state !== 'ended') continue
        for (let n = 0; n < batchesPerRound; n++)
          if (!(await database.transaction((stores) => endBatch(stores, newsletter)))) break
      }
    },

    /** As the API shows it. */
    toShape: ({ id: _i, beganAt: _b, createdAt: _c, updatedAt: _u, ...newsletter }: Newsletter) => ({
      ...newsletter,
      url: config.publicUrl + newsletterPath(newsletter.slug),
    }),
  }
}

/** Where both are given and the schedules are as before, cadences that name a day or time decide. */
function inAgreement(
  given: { cadences?: CadenceRule[] | undefined; schedules?: Schedule[] | undefined },
  before: Pick<Newsletter, 'cadences' | 'schedules'>,
): Pick<Newsletter, 'cadences' | 'schedules'> {
  const isOther = given.schedules && !isDeepStrictEqual(given.schedules, before.schedules)
  const saysWhen = !given.schedules || given.cadences?.some(({ cadence }) => cadence !== 'alert')
  const plain = saysWhen ? given.cadences && schedulesOf(given.cadences, before.schedules) : undefined
  const schedules = (isOther ? given.schedules : plain) ?? before.schedules
  return { schedules, cadences: cadencesOf(schedules, given.cadences ?? before.cadences) }
}

async function requireOccurrences(
  stores: Stores,
  { schedules }: Pick<Newsletter, 'schedules'>,
): Promise<void> {
  const now = await stores.clock.now()
  const n = schedules.findIndex((schedule) => !nextOccurrence(schedule, now))
  if (n < 0) return
  const sentence = 'This schedule has no day within a year: skip fewer dates.'
  throw invalid('no_occurrence', sentence, atField(`schedules.${n}.skip`, 'must leave a day within a year'))
}

/** Cadences that are no more and have none below them; without any the newsletter goes out by hand, to whom it names. */
const strandedBy = (before: Pick<Newsletter, 'cadences'>, left: string[]): Cadence[] =>
  left.length === 0
    ? []
    : before.cadences
        .map(({ cadence }) => cadence)
        .filter((cadence) => !left.includes(cadence) && !(cadence === 'daily' && left.includes('weekly')))

/** @returns how many get the weekly from now on */
async function moveReaders(
  stores: Stores,
  before: Newsletter,
  after: Pick<Newsletter, 'cadences'>,
): Promise<number> {
  const left = after.cadences.map(({ cadence }) => cadence)
  const n = await stores.subscriptions.countActive(before.id, strandedBy(before, left))
  if (n > 0) {
    const sentence = `${n} ${n === 1 ? 'reader' : 'readers'} of ${before.slug} would get nothing, for no cadence that is left is rarer than theirs: keep it, or end the newsletter.`
    throw conflict('cadence_has_readers', sentence, { field: 'cadences' })
  }
  const isDailyOver = !left.includes('daily') && left.includes('weekly')
  return isDailyOver ? stores.subscriptions.updateCadence(before.id, 'daily', 'weekly') : 0
}

const readersPerBatch = 100
/** The rest waits for the next round: nothing else may wait for a long list. */
const batchesPerRound = 20

/** @returns whether there may be more */
async function endBatch(stores: Stores, { id, slug }: Newsletter): Promise<boolean> {
  if (!(await stores.newsletters.hasEnded(id))) return false
  const readers = await stores.subscriptions.claimOpen(id, readersPerBatch)
  for (const { subscriberId, state, language } of readers) {
    await endSubscriptions(stores, {
      subscriberId,
      newsletterId: id,
      reason: 'expired',
      recorded: 'newsletter_ended',
    })
    if (state !== 'active') continue
    await stores.outbox.insert({
      kind: 'newsletter-ended',
      subscriberId,
      language,
      payload: { newsletter: slug },
      dedupeKey: `newsletter-ended:${id}:${subscriberId}`,
    })
  }
  return readers.length === readersPerBatch
}

const strictness: Newsletter['approval'][] = ['none', 'one', 'four-eyes']

function requireAdmin(actor: Actor, field: 'approval' | 'from'): void {
  if (actor.role === 'admin') return
  const sentence = `Only an admin may ${field === 'from' ? 'set the sender' : 'weaken the approval'} of a newsletter.`
  throw forbidden('needs_admin', sentence, atField(field, 'is for admins to change'))
}

const senderFaults = {
  malformed: () =>
    invalid(
      'invalid_sender',
      'from is not one address: write lettres@news.example, or Le Matin <lettres@news.example>.',
      atField('from', 'must be one address, or a name and one address, in ASCII before the @'),
    ),
  unaligned: () =>
    invalid(
      'unaligned_sender',
      'from is at a domain that our signature does not speak for, and mail providers may refuse it: choose an address of the organisation of DKIM_DOMAIN.',
      atField('from', 'must be of the organisation of DKIM_DOMAIN'),
    ),
}

function requireRange({ minArticles, maxArticles }: Pick<Newsletter, 'minArticles' | 'maxArticles'>): void {
  if (minArticles <= maxArticles) return
  const sentence = 'minArticles is larger than maxArticles: no digest could ever be sent.'
  throw invalid(
    'min_exceeds_max',
    sentence,
    atField('minArticles', `must be at most maxArticles (${maxArticles})`),
  )
}
