import { sql } from 'kysely'
import { toLowerAddress, type AddressHash } from '../../domain/subscribers/address.ts'
import type { Subscriber, SubscriptionState } from '../../domain/subscribers/subscription.ts'
import { notFound } from '../../errors.ts'
import { getValue, listRows, rowsOf, run, type Executor } from '../executor.ts'

export interface NewSubscriber {
  /** As it is delivered to. */
  address: string
  hash: AddressHash
  language: string
}

/** Who is looked for. */
export interface SubscriberFilter {
  /** Part of the address; empty is anybody's. */
  text: string
  /** Slug. */
  newsletter?: string | undefined
  state?: SubscriptionState | undefined
}

export function subscribersStore(db: Executor) {
  const select = () => db.selectFrom('subscribers').select(['id', 'address', 'language', 'createdAt'])

  /** Whose address holds the text, with a subscription as it is asked for. */
  const found = ({ text, newsletter, state }: SubscriberFilter) =>
    db
      .selectFrom('subscribers')
      .where('erasedAt', 'is', null)
      .$if(text !== '', (query) =>
        query.where(sql<boolean>`lower(address) like lower(${`%${text.replace(/[\\%_]/g, '\\$&')}%`})`),
      )
      .$if(newsletter !== undefined || state !== undefined, (query) =>
        query.where((eb) =>
          eb.exists(
            eb
              .selectFrom('subscriptions as s')
              .innerJoin('newsletters as n', 'n.id', 's.newsletterId')
              .select('s.state')
              .whereRef('s.subscriberId', '=', 'subscribers.id')
              .$if(newsletter !== undefined, (one) => one.where('n.slug', '=', newsletter ?? ''))
              .$if(state !== undefined, (one) => one.where('s.state', '=', state ?? '')),
          ),
        ),
      )

  return {
    find: (id: number): Promise<Subscriber | undefined> => select().where('id', '=', id).executeTakeFirst(),

    /** @throws DomainError `no_subscriber` */
    async get(id: number): Promise<Subscriber> {
      const subscriber = await this.find(id)
      if (!subscriber) throw notFound('no_subscriber', 'There is no such subscriber.')
      return subscriber
    },

    findByAddress: (address: string): Promise<Subscriber | undefined> =>
      select()
        .where(sql`lower(address)`, '=', sql`lower(${address})`)
        .executeTakeFirst(),

    /** The one with this address, new or known; a known one keeps its language. */
    async put(subscriber: NewSubscriber): Promise<Subscriber> {
      await this.putAll([subscriber])
      const known = await this.findByAddress(subscriber.address)
      if (!known) throw new Error('a subscriber vanished while it was put')
      return known
    },

    /**
     * Ids by address as it was given: of those whose address no subscriber has yet, in an order that two of these cannot
     * block each other by, and of the others, who are locked.
     */
    async putAll(subscribers: NewSubscriber[]): Promise<Map<string, number>> {
      const ordered = subscribers.toSorted((one, other) =>
        toLowerAddress(one.address) < toLowerAddress(other.address) ? -1 : 1,
      )
      const inserted = await listRows<{ address: string; id: number }>(db)`
        insert into subscribers (address, address_hmac, key_id, language)
        select address, hmac, key_id, language
        from unnest(${ordered.map((one) => one.address)}::text[], ${ordered.map((one) => one.hash.hmac)}::bytea[],
            ${ordered.map((one) => one.hash.keyId)}::text[], ${ordered.map((one) => one.language)}::text[])
          with ordinality as given (address, hmac, key_id, language, place)
        order by place
        on conflict (lower(address)) do nothing
        returning address, id`
      const ids = new Map(inserted.map(({ address, id }) => [address, id]))
      const others = subscribers.flatMap(({ address }) => (ids.has(address) ? [] : [address]))
      return others.length === 0 ? ids : new Map([...ids, ...(await this.lockByAddress(others))])
    },

    /**
     * Ids by address as it was given; whoever would change these people waits until the transaction ends. Each is looked
     * up by itself: left to choose, the planner reads all subscribers for a batch until they are hundreds of thousands.
     */
    async lockByAddress(addresses: string[]): Promise<Map<string, number>> {
      const rows = await listRows<{ address: string; id: number }>(db)`
        select given.address as "address", s.id as "id"
        from (select * from unnest(${addresses}::text[]) as address order by lower(address) collate "C") as given
          cross join lateral (
            select id from subscribers where lower(address) = lower(given.address) limit 1 for update) s`
      return new Map(rows.map(({ address, id }) => [address, id]))
    },

    updateLanguage: (id: number, language: string) => rowsOf(db, 'subscribers', { id }).update({ language }),

    /** False where another subscriber has that address. */
    async updateAddress(id: number, address: string, hash: AddressHash): Promise<boolean> {
      const taken = await this.findByAddress(address)
      if (taken && taken.id !== id) return false
      await rowsOf(db, 'subscribers', { id }).update({
        address,
        addressHmac: hash.hmac,
        keyId: hash.keyId,
        bounceScore: 0,
        lastBounceOn: null,
      })
      // A mail in a worker's hands is for the address of before, and loses its lease: whoever claims it anew reads this one.
      await run(db)`
        update deliveries set state = 'pending', lease_token = null, lease_until = null
        where subscriber_id = ${id} and state = 'claimed'`
      return true
    },

    /** Newest first; `before` is the last id of the page before. */
    list: (page: SubscriberFilter & { before: number | undefined; limit: number }): Promise<Subscriber[]> =>
      found(page)
        .select(['id', 'address', 'language', 'createdAt'])
        .$if(page.before !== undefined, (query) => query.where('id', '<', page.before ?? 0))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute(),

    /** Counts on to `limit` and no further. */
    async count(filter: SubscriberFilter, limit: number): Promise<number> {
      const { n } = await db
        .selectFrom(found(filter).select('id').limit(limit).as('found'))
        .select(sql<number>`count(*)::int`.as('n'))
        .executeTakeFirstOrThrow()
      return n
    },

    /** Whether finding by a part of an address has an index: not every server lets us have one. */
    hasPartIndex: () => getValue<boolean>(db)`
      select to_regclass('subscribers_address_part') is not null as has`,

    /** False in a database with locale C, to which letters beyond ASCII have no case: one address is two there. */
    hasCase: () => getValue<boolean>(db)`select lower('É') = 'é' as has`,

    /** Waits for whoever changes the same person, so that two changes follow each other. */
    async lock(id: number): Promise<void> {
      await db.selectFrom('subscribers').select('id').where('id', '=', id).forUpdate().execute()
    },

    /** A subscriber without any subscription, left by a request that nobody confirmed. */
    deleteUnconfirmed: (ids: number[]) => run(db)`
      delete from subscribers p
      where id = any(${ids}::bigint[])
        and not exists (select from subscriptions where subscriber_id = p.id)
        and not exists (select from consents where subscriber_id = p.id)
        and not exists (select from deliveries where subscriber_id = p.id)
        and not exists (select from outbox where subscriber_id = p.id)
        and not exists (select from bounces where subscriber_id = p.id)
        and not exists (select from activations where subscriber_id = p.id)`,
  }
}
