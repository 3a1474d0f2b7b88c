import { sql } from 'kysely'
import type { SendingTimes } from '../../domain/delivery/sending-times.ts'
import type { Executor } from '../executor.ts'
import { suspectsOn } from './suspects.ts'
import { leasesOn, type Ledger, type Lease } from './ledger.ts'

/** A claimed delivery with what its message needs. */
export interface ClaimedDelivery extends Lease {
  address: string
  suspectAt: Date | null
  /** The articles of its variant as they are now: a withdrawn one is already left out. */
  articleIds: number[]
}

const objection = sql<string | null>`(
  select case
    when g.state = 'cancelled' then 'cancelled'
    when g.state <> 'sending' then 'waiting'
    when g.expires_at <= statement_timestamp() then 'expired'
    when p.address is null then 'erased'
    when s.state is distinct from 'active' then coalesce(s.ended_reason, 'unsubscribed')
    when s.paused_until > statement_timestamp() then 'paused'
    when exists (select from suppressions x where x.address_hmac = p.address_hmac) then 'suppressed'
    when g.kind <> 'letter'
      and cardinality(coalesce((select r.article_ids from variants r where r.id = v.replaced_by), v.article_ids)) = 0
      then 'nothing_left'
  end
  from digests g
  join subscribers p on p.id = m.subscriber_id
  left join subscriptions s on s.subscriber_id = m.subscriber_id and s.newsletter_id = g.newsletter_id
  left join variants v on v.id = m.variant_id
  where g.id = m.digest_id
)`

const ledger = {
  table: sql`deliveries`,
  key: sql`subscriber_id`,
  sameAs: (other: string) =>
    sql<boolean>`m.digest_id = ${sql.ref(`${other}.digest_id`)} and m.subscriber_id = ${sql.ref(`${other}.subscriber_id`)}`,
  objection,
  address: sql<string | null>`(select p.address from subscribers p where p.id = m.subscriber_id)`,
  expiresAt: sql<Date | null>`(select g.expires_at from digests g where g.id = m.digest_id)`,
  probeAt: sql<Date | null>`(select g.probe_at from digests g where g.id = m.digest_id)`,
  isUnderWay: sql<boolean>`exists (select from digests g where g.id = m.digest_id and g.state in ('sending', 'paused'))`,
  policy: sql<string>`(select ambiguous_policy from publication)`,
  // Nobody gets more than two copies.
  deaths: 1,
  joins: sql`
    join subscribers p on p.id = picked.subscriber_id
    left join variants prepared on prepared.id = picked.variant_id
    left join variants v on v.id = coalesce(prepared.replaced_by, prepared.id)`,
  onClaim: sql`variant_id = v.id,`,
  onCommit: sql``,
  // A row that comes back from a dead worker is not seen by a withdrawal at that moment, and may be claimed before it.
  isCurrent: sql<boolean>`
    not exists (select from variants v where v.id = m.variant_id and v.replaced_by is not null)`,
  columns: sql<ClaimedDelivery>`m.suspect_at, p.address, coalesce(v.article_ids, '{}') as article_ids`,
} as const

const ledgerOf = (digestId: number): Ledger<ClaimedDelivery> => ({
  ...ledger,
  scope: sql<boolean>`m.digest_id = ${digestId}`,
  scopeColumns: sql`${digestId}::bigint as digest_id,`,
  isOpen: sql<boolean>`exists (select from digests g where g.id = ${digestId} and g.state = 'sending')`,
})

const allDigests: Ledger<ClaimedDelivery> = {
  ...ledger,
  scope: sql<boolean>`true`,
  // Nothing is asked of it by key.
  scopeColumns: sql`null::bigint as digest_id,`,
  isOpen: sql<boolean>`false`,
}

export function deliveriesStore(db: Executor, hot: Executor) {
  return {
    leasesOf: (digestId: number, times: SendingTimes) => {
      const scoped = ledgerOf(digestId)
      return { ...leasesOn({ db, hot }, scoped, times), ...suspectsOn(db, scoped, times) }
    },

    /** Of every digest, for recovery. */
    allLeases: (times: SendingTimes) => leasesOn({ db, hot }, allDigests, times),
  }
}
