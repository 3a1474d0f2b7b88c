import type { Selectable } from 'kysely'
import type { MailReference } from '../../domain/delivery/mail-reference.ts'
import type { EventKind, ProviderName } from '../../domain/deliverability/provider-event.ts'
import {
  databaseTime,
  findValue,
  hasRow,
  listRows,
  listValues,
  rowsOf,
  run,
  type Executor,
} from '../executor.ts'
import { fill } from '../row.ts'
import type { Providers } from '../schema.ts'

export type StoredProvider = ReturnType<typeof toProvider>

export interface EventCount {
  kind: EventKind
  n: number
  /** Of them, those about no mail of ours. */
  strange: number
  lastAt: Date
}

export function providersStore(db: Executor) {
  return {
    async list(): Promise<StoredProvider[]> {
      return (await db.selectFrom('providers').selectAll().orderBy('createdAt').execute()).map(toProvider)
    },

    listNames: () => listValues<ProviderName>(db)`select name from providers order by name`,

    async find(name: ProviderName): Promise<StoredProvider | undefined> {
      const row = await db.selectFrom('providers').selectAll().where('name', '=', name).executeTakeFirst()
      return row && toProvider(row)
    },

    /** False where it is there already. */
    insert: (name: ProviderName, token: string) => hasRow(db)`
      insert into providers (name, token) values (${name}, ${token}) on conflict do nothing returning name`,

    /** Whoever was let in by the old address has to ask again. */
    updateToken: (name: ProviderName, token: string) =>
      rowsOf(db, 'providers', { name }).update({ token, topic: null }),

    updateKey: (name: ProviderName, key: string) => rowsOf(db, 'providers', { name }).update({ key }),

    /** False where another topic was first. */
    updateTopic: (name: ProviderName, topic: string) =>
      rowsOf(db, 'providers', { name, topic: null }).update({ topic }),

    updateTest: (name: ProviderName, testOutboxId: number) =>
      rowsOf(db, 'providers', { name }).update({ testOutboxId, testedAt: databaseTime, testSeenAt: null }),

    /** That something was heard of the test mail. */
    updateTestSeen: (name: ProviderName, testOutboxId: number) =>
      rowsOf(db, 'providers', { name, testOutboxId, testSeenAt: null }).update({ testSeenAt: databaseTime }),

    delete: (name: ProviderName) => rowsOf(db, 'providers', { name }).delete(),

    /** False where it was heard before, or its token was used for another event. */
    insertEvent: (name: ProviderName, eventId: string, token: string | undefined) => hasRow(db)`
      insert into provider_events (provider, event_id, token) values (${name}, ${eventId}, ${token ?? null})
      on conflict do nothing returning event_id`,

    async listKnownEvents(name: ProviderName, eventIds: string[]): Promise<Set<string>> {
      const known = await listValues<string>(db)`
        select event_id from provider_events where provider = ${name} and event_id = any (${eventIds}::text[])`
      return new Set(known)
    },

    findEventByToken: (name: ProviderName, token: string) => findValue<string>(db)`
      select event_id from provider_events where provider = ${name} and token = ${token}`,

    async deleteEventsBefore(before: Date): Promise<void> {
      await db.deleteFrom('providerEvents').where('at', '<', before).execute()
    },

    /** The newest mails that the relay gave these names. */
    async findMails(relayIds: string[]): Promise<Map<string, MailReference>> {
      const rows = await listRows<{ relayId: string; digestId: number | null; id: number }>(db)`
        select distinct on (relay_id) relay_id, digest_id, id from (
          select relay_id, digest_id, subscriber_id as id, accepted_at from deliveries
          where relay_id = any (${relayIds}::text[])
          union all
          select relay_id, null, id, accepted_at from outbox where relay_id = any (${relayIds}::text[])) found
        order by relay_id, accepted_at desc`
      return new Map(
        rows.map(({ relayId, digestId, id }) => [
          relayId,
          digestId === null
            ? { kind: 'outbox', outboxId: id }
            : { kind: 'digest', digestId, subscriberId: id },
        ]),
      )
    },

    /** All kinds of one posting at once, in one order, so that postings wait for each other and never in a circle. */
    async addCounts(
      name: ProviderName,
      counts: { kind: EventKind; n: number; strange: number }[],
    ): Promise<void> {
      const kinds = counts.map(({ kind }) => kind)
      await run(db)`
        insert into provider_counts (provider, kind, n, strange_n, last_at)
        select ${name}, c.kind, c.n, c.strange, clock_timestamp()
        from unnest(${kinds}::text[], ${counts.map(({ n }) => n)}::bigint[],
          ${counts.map(({ strange }) => strange)}::bigint[]) as c (kind, n, strange)
        where exists (select from providers where name = ${name})
        order by c.kind
        on conflict (provider, kind) do update
        set n = provider_counts.n + excluded.n, strange_n = provider_counts.strange_n + excluded.strange_n,
            last_at = excluded.last_at`
    },

    listCounts: (name: ProviderName) => listRows<EventCount>(db)`
      select kind, n, strange_n as strange, last_at from provider_counts where provider = ${name}`,
  }
}

const toProvider = (row: Selectable<Providers>) => ({
  ...fill(row),
  name: row.name as ProviderName,
})
