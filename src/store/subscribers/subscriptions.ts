import { sql } from 'kysely'
import type { Cadence } from '../../domain/newsletter.ts'
import type {
  Choices,
  EndedReason,
  LeaveReason,
  Subscription,
} from '../../domain/subscribers/subscription.ts'
import { databaseTime, getValue, hasChanged, listRows, rowsOf, run, type Executor } from '../executor.ts'

/** A section that does not exist is left out. */
export type Setting = Omit<Choices, 'newsletters'>

export interface SubscriptionKey {
  subscriberId: number
  newsletterId: number
}

export interface NewSubscription extends SubscriptionKey, Setting {
  state: Subscription['state']
  endedReason: EndedReason | null
  pausedUntil: Date | null
}

export function subscriptionsStore(db: Executor) {
  const select = () =>
    db
      .selectFrom('subscriptions as s')
      .innerJoin('newsletters as n', 'n.id', 's.newsletterId')
      .select([
        's.subscriberId',
        's.newsletterId',
        'n.slug as newsletter',
        's.state',
        's.endedReason',
        's.cadence',
        's.alerts',
        's.pausedUntil',
        's.createdAt',
        's.activatedAt',
        's.endedAt',
        sql<
          string[]
        >`array(select slug from selections where id = any (s.sections) order by position, slug)`.as(
          'sections',
        ),
      ])
      .$narrowType<Pick<Subscription, 'state' | 'endedReason' | 'cadence'>>()

  const updateOne = ({ subscriberId, newsletterId }: SubscriptionKey) =>
    db
      .updateTable('subscriptions')
      .where('subscriberId', '=', subscriberId)
      .where('newsletterId', '=', newsletterId)

  return {
    list: (subscriberId: number): Promise<Subscription[]> =>
      select().where('s.subscriberId', '=', subscriberId).orderBy('n.position').orderBy('n.id').execute(),

    find: (key: SubscriptionKey): Promise<Subscription | undefined> =>
      select()
        .where('s.subscriberId', '=', key.subscriberId)
        .where('s.newsletterId', '=', key.newsletterId)
        .executeTakeFirst(),

    async listOf(subscriberIds: number[]): Promise<Subscription[]> {
      if (subscriberIds.length === 0) return []
      return select().where('s.subscriberId', 'in', subscriberIds).execute()
    },

    /** New subscriptions; those that exist in any state keep what they have. Returns the inserted. */
    async insertNew(subscriptions: NewSubscription[]): Promise<SubscriptionKey[]> {
      if (subscriptions.length === 0) return []
      return listRows<SubscriptionKey>(db)`
        insert into subscriptions (subscriber_id, newsletter_id, state, ended_reason, cadence, alerts, sections,
          paused_until, activated_at, ended_at)
        select "subscriberId", "newsletterId", state, "endedReason", cadence, alerts,
          array(select distinct id from selection_names where kind = 'section' and slug = any (record.sections) order by id),
          "pausedUntil", case when state = 'active' then clock_timestamp() end,
          case when state = 'ended' then clock_timestamp() end
        from jsonb_to_recordset(${JSON.stringify(subscriptions)}::jsonb) as record
          ("subscriberId" bigint, "newsletterId" bigint, state text, "endedReason" text, cadence text,
            alerts boolean, sections text[], "pausedUntil" timestamptz)
        on conflict do nothing
        returning subscriber_id, newsletter_id`
    },

    /**
     * Active with this setting, whatever it was. False, and nothing changed, where it ended after `notAfter`:
     * an old request cannot bring back someone who left since.
     */
    async activate(key: SubscriptionKey, setting: Setting, notAfter: Date): Promise<boolean> {
      const active = {
        state: 'active',
        endedReason: null,
        endedAt: null,
        leaveReason: null,
        pausedUntil: null,
        updatedAt: databaseTime,
      }
      const row = await db
        .insertInto('subscriptions')
        .values({ ...key, ...active, ...toColumns(setting), activatedAt: databaseTime })
        .onConflict((conflict) =>
          conflict
            .columns(['subscriberId', 'newsletterId'])
            .doUpdateSet({
              ...active,
              ...toColumns(setting),
              activatedAt: sql<Date>`case when subscriptions.state = 'active' then subscriptions.activated_at else clock_timestamp() end`,
            })
            .where((where) =>
              where.or([
                where('subscriptions.endedAt', 'is', null),
                where('subscriptions.endedAt', '<=', notAfter),
              ]),
            ),
        )
        .returning('subscriberId')
        .executeTakeFirst()
      return row !== undefined
    },

    updateSetting: (key: SubscriptionKey, setting: Setting): Promise<boolean> =>
      hasChanged(
        updateOne(key)
          .set({ ...toColumns(setting), updatedAt: databaseTime })
          .where('state', '=', 'active'),
      ),

    countActive: (newsletterId: number, cadences: Cadence[]) => getValue<number>(db)`
      select count(*) from subscriptions
      where newsletter_id = ${newsletterId} and state = 'active' and cadence = any(${cadences}::text[])`,

    /** Of all that have not ended, with a record for each. @returns how many */
    updateCadence: (newsletterId: number, from: Cadence, to: Cadence) => run(db)`
      with moved as (
        update subscriptions set cadence = ${to}, updated_at = clock_timestamp()
        where newsletter_id = ${newsletterId} and cadence = ${from} and state <> 'ended'
        returning subscriber_id
      )
      insert into consents (event, subscriber_id, newsletter_id, method, reason)
      select 'changed', subscriber_id, ${newsletterId}, 'newsroom', 'cadence' from moved`,

    /** Pending and active ones of a newsletter, and whose they are; nobody else changes them until the transaction ends. */
    claimOpen: (newsletterId: number, limit: number) =>
      db
        .selectFrom('subscriptions as s')
        .innerJoin('subscribers as p', 'p.id', 's.subscriberId')
        .select(['s.subscriberId', 's.state', 'p.language'])
        .where('s.newsletterId', '=', newsletterId)
        .where('s.state', '<>', 'ended')
        .limit(limit)
        .forUpdate('s')
        .skipLocked()
        .execute(),

    /** Undefined resumes. Of one newsletter, or of all that are active. */
    async updatePause(subscriberId: number, until: Date | undefined, newsletterId?: number): Promise<void> {
      const which = newsletterId === undefined ? { subscriberId } : { subscriberId, newsletterId }
      const change = { pausedUntil: until ?? null, updatedAt: databaseTime }
      await rowsOf(db, 'subscriptions', { ...which, state: 'active' }).update(change)
    },

    /** Ends one subscription, or all; those that had ended keep their reason. Returns the newsletters left. */
    async markEnded(subscriberId: number, reason: EndedReason, newsletterId?: number): Promise<number[]> {
      const rows = await db
        .updateTable('subscriptions')
        .set({
          state: 'ended',
          endedReason: reason,
          endedAt: databaseTime,
          pausedUntil: null,
          updatedAt: databaseTime,
        })
        .where('subscriberId', '=', subscriberId)
        .where('state', '<>', 'ended')
        .$if(newsletterId !== undefined, (query) => query.where('newsletterId', '=', newsletterId ?? 0))
        .returning('newsletterId')
        .execute()
      return rows.map((row) => row.newsletterId)
    },

    /** The same of many; returns those that it ended. */
    async markEachEnded(
      endings: (SubscriptionKey & { reason: EndedReason })[],
    ): Promise<(SubscriptionKey & { reason: EndedReason })[]> {
      if (endings.length === 0) return []
      return listRows<SubscriptionKey & { reason: EndedReason }>(db)`
        update subscriptions s
        set state = 'ended', ended_reason = reason, ended_at = clock_timestamp(), paused_until = null,
          updated_at = clock_timestamp()
        from jsonb_to_recordset(${JSON.stringify(endings)}::jsonb) as record
          ("subscriberId" bigint, "newsletterId" bigint, reason text)
        where s.subscriber_id = "subscriberId" and s.newsletter_id = "newsletterId" and s.state <> 'ended'
        returning s.subscriber_id, s.newsletter_id, reason`
    },

    /** Back to active, if it was left by its reader since then. */
    markRestored: (key: SubscriptionKey, since: Date): Promise<boolean> =>
      hasChanged(
        updateOne(key)
          .set({
            state: 'active',
            endedReason: null,
            endedAt: null,
            leaveReason: null,
            updatedAt: databaseTime,
          })
          .where('endedReason', '=', 'unsubscribed')
          .where('activatedAt', 'is not', null)
          .where('endedAt', '>', since),
      ),

    async updateLeaveReason(key: SubscriptionKey, reason: LeaveReason): Promise<void> {
      await updateOne(key).set({ leaveReason: reason }).where('state', '=', 'ended').execute()
    },

    /** Pending ones of people whom no open request would activate any more. */
    async deletePending(subscriberIds: number[]): Promise<void> {
      await run(db)`
        delete from subscriptions s
        where subscriber_id = any(${subscriberIds}::bigint[]) and state = 'pending'
          and not exists (select from activations a where a.subscriber_id = s.subscriber_id
            and a.activated_at is null and a.refused_at is null and a.expires_at > now())`
    },
  }
}

const toColumns = (setting: Setting) => ({
  cadence: setting.cadence,
  alerts: setting.alerts,
  sections: sectionIds(setting.sections),
})

const sectionIds = (slugs: string[]) =>
  sql<
    number[]
  >`array(select distinct id from selection_names where kind = 'section' and slug = any (${slugs}::text[]) order by id)`
