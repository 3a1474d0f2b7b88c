import { sql } from 'kysely'
import type { BounceClass } from '../../domain/deliverability/bounce.ts'
import { bounceWindowDays, type ScoredBounce } from '../../domain/deliverability/suppression.ts'
import type { MailReference } from '../../domain/delivery/mail-reference.ts'
import { findRow, findValue, getRow, listRows, listValues, rowsOf, run, type Executor } from '../executor.ts'
import { fill } from '../row.ts'

export interface NewBounce {
  subscriberId: number | undefined
  reference: MailReference
  source: 'smtp' | 'dsn' | 'arf'
  class: BounceClass
  status?: string | undefined
  /** Without the address. */
  answer?: string | undefined
  domain?: string | undefined
  points: number
  /** What a complaint rests on: the report's own fields, without addresses. */
  proof?: string | undefined
}

/** What a bounce changed beyond its own row. */
export interface BounceEffects {
  /** The address was not suppressed before. */
  suppressed?: boolean
  /** Newsletters. */
  ended?: number[]
  activation?: { id: string; expiresAt: string }
}

export interface BouncedMail {
  subscriberId: number | undefined
  activationId: string | undefined
  newsletterId: number | undefined
  /** Undefined once erased. */
  address: string | undefined
  /** The person has another address since: what came of it says nothing of them. */
  isFormer: boolean
}

/** Accepted mails and what came of them, of one day and recipient domain. */
export interface BounceDay {
  date: string
  domain: string
  source: 'smtp' | 'dsn' | 'arf'
  class: string
  n: number
}

/** When the person `s` last moved to another address. */
const movedAt = sql`(
  select max(c.at) from consents c where c.subscriber_id = s.id and c.event = 'changed' and c.reason = 'address')`

export function bouncesStore(db: Executor) {
  return {
    /** Whom a mail went to. Undefined where there is no such mail. */
    async findMail(reference: MailReference): Promise<BouncedMail | undefined> {
      const row =
        reference.kind === 'digest'
          ? await findRow<BouncedMail>(db)`
            select s.id as "subscriberId", g.newsletter_id as "newsletterId", s.address,
              coalesce(${movedAt} > d.committing_at, false) as "isFormer"
            from deliveries d join digests g on g.id = d.digest_id join subscribers s on s.id = d.subscriber_id
            where d.digest_id = ${reference.digestId} and d.subscriber_id = ${reference.subscriberId}`
          : await findRow<BouncedMail>(db)`
            select o.subscriber_id as "subscriberId", o.activation_id as "activationId",
              coalesce(o.address, a.address, s.address) as address,
              coalesce(o.address <> s.address or ${movedAt} > o.committing_at, false) as "isFormer"
            from outbox o left join activations a on a.id = o.activation_id
              left join subscribers s on s.id = o.subscriber_id
            where o.id = ${reference.outboxId}`
      return row && fill(row)
    },

    /** As far back as a bounce counts. */
    listOf: (subscriberId: number) => listRows<ScoredBounce>(db)`
      select at, class, points from bounces
      where subscriber_id = ${subscriberId} and at > now() - make_interval(days => ${bounceWindowDays})`,

    /**
     * When they moved to their address, or the last mail they took in a week without a bounce; a day old, so that its
     * own bounce would be here.
     */
    findCleanAt: (subscriberId: number, before: Date) => findValue<Date>(db)`
      select greatest(${movedAt}, (
        select max(d.accepted_at) from deliveries d
        where d.subscriber_id = s.id and d.state = 'accepted'
          and d.accepted_at < ${before}::timestamptz - interval '1 day'
          and not exists (select from bounces b where b.subscriber_id = d.subscriber_id
            and b.at between d.accepted_at - interval '7 days' and d.accepted_at + interval '1 day'))) as "cleanAt"
      from subscribers s where s.id = ${subscriberId}`,

    /** The same report may come twice: a mail bounces once a day per class. @returns its id; undefined where it was known */
    async insert(bounce: NewBounce, at: Date): Promise<number | undefined> {
      const { reference } = bounce
      const digestId = reference.kind === 'digest' ? reference.digestId : null
      const outboxId = reference.kind === 'outbox' ? reference.outboxId : null
      return findValue<number>(db)`
        insert into bounces (at, subscriber_id, digest_id, outbox_id, source, class, status, smtp_answer, domain,
          points, proof)
        select ${at}::timestamptz, ${bounce.subscriberId ?? null}::bigint, ${digestId}::bigint, ${outboxId}::bigint,
          ${bounce.source}::text, ${bounce.class}::text, ${bounce.status ?? null}::text,
          ${bounce.answer ?? null}::text, ${bounce.domain ?? null}::text, ${bounce.points}::numeric,
          ${bounce.proof ?? null}::text
        where not exists (select from bounces where class = ${bounce.class}::text
          and subscriber_id is not distinct from ${bounce.subscriberId ?? null}::bigint
          and digest_id is not distinct from ${digestId}::bigint
          and outbox_id is not distinct from ${outboxId}::bigint
          and at > ${at}::timestamptz - interval '1 day')
        returning id`
    },

    updateScore: (subscriberId: number, score: number, at: Date) =>
      rowsOf(db, 'subscribers', { id: subscriberId }).update({
        bounceScore: score,
        lastBounceOn: at.toISOString().slice(0, 10),
      }),

    /** The request ends as if nobody had ever confirmed it; nobody is told. */
    expireActivation: (activationId: string) => findRow<NonNullable<BounceEffects['activation']>>(db)`
      update activations a set expires_at = least(a.expires_at, clock_timestamp())
      from activations before
      where a.id = ${activationId}::uuid and before.id = a.id and a.activated_at is null
      returning a.id, before.expires_at::text as "expiresAt"`,

    async updateEffects(bounceId: number, effects: BounceEffects): Promise<void> {
      await run(db)`
        update bounces set effects = coalesce(effects, '{}') || ${JSON.stringify(effects)}::jsonb
        where id = ${bounceId}`
    },

    /** Deletes what was recorded while this mail was sent, its points and the end of its activation. */
    async takeBack(reference: MailReference): Promise<BounceEffects[]> {
      const [digestId, outboxId, subscriberId] =
        reference.kind === 'digest'
          ? [reference.digestId, null, reference.subscriberId]
          : [null, reference.outboxId, null]
      const rows = await listRows<{
        subscriberId: number | null
        points: number
        effects: BounceEffects | null
      }>(db)`
        delete from bounces
        where source = 'smtp' and digest_id is not distinct from ${digestId}::bigint
          and outbox_id is not distinct from ${outboxId}::bigint
          and (${subscriberId}::bigint is null or subscriber_id = ${subscriberId}::bigint)
        returning subscriber_id, points, effects`
      for (const { subscriberId: id, points, effects } of rows) {
        await run(db)`
          update subscribers s set bounce_score = greatest(0, s.bounce_score - ${points}),
            last_bounce_on = (select max(b.at)::date from bounces b where b.subscriber_id = s.id and b.points > 0)
          where s.id = ${id} and ${points} > 0`
        await run(db)`
          update activations set expires_at = ${effects?.activation?.expiresAt ?? null}::timestamptz
          where id = ${effects?.activation?.id ?? null}::uuid and refused_at is null`
      }
      return rows.map(({ effects }) => effects ?? {})
    },

    /** Back to what they were, if nothing else has ended them since. @returns the newsletters */
    restoreSubscriptions: (subscriberId: number, newsletterIds: number[]) => listValues<number>(db)`
      update subscriptions
      set state = case when activated_at is null then 'pending' else 'active' end, ended_reason = null,
        ended_at = null, updated_at = clock_timestamp()
      where subscriber_id = ${subscriberId} and newsletter_id = any(${newsletterIds}::bigint[])
        and state = 'ended' and ended_reason = 'bounced'
      returning newsletter_id`,

    /** Mails accepted on the day a week before `at` and since, and complaints that came in the week. */
    countWeek(at: Date): Promise<{ accepted: number; complaints: number }> {
      const week = sql`${at}::timestamptz - interval '7 days'`
      return getRow<{ accepted: number; complaints: number }>(db)`
        select (select coalesce(sum(n), 0) from delivery_counts where day >= ((${week}) at time zone 'UTC')::date) as accepted,
          (select count(*) from bounces where class = 'complaint' and at > ${week}) as complaints`
    },

    /** Since this day of the zone. */
    listDays: (since: string, zone: string) => listRows<BounceDay>(db)`
      select to_char(at at time zone ${zone}, 'YYYY-MM-DD') as date, coalesce(domain, '') as domain, source, class, count(*) as n from bounces
      where at >= ${since}::timestamp at time zone ${zone} group by 1, 2, 3, 4 order by 1, 2, 3, 4`,

    listAcceptedDays: (since: string) => listRows<{ date: string; accepted: number }>(db)`
      select to_char(day, 'YYYY-MM-DD') as date, sum(n) as accepted from delivery_counts
      where day >= ${since}::date group by 1 having sum(n) > 0 order by 1`,
  }
}
