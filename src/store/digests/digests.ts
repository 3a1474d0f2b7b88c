import { sql, type Updateable } from 'kysely'
import type { Cursor } from '../../domain/cursor.ts'
import type {
  Digest,
  DigestKind,
  DigestReason,
  DigestState,
  VariantPlan,
} from '../../domain/digests/digest.ts'
import type { FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import type { Cadence } from '../../domain/newsletter.ts'
import { notFound } from '../../errors.ts'
import {
  databaseTime,
  getValue,
  hasChanged,
  hasRow,
  listRows,
  listValues,
  rowsOf,
  type Executor,
} from '../executor.ts'
import type { Digests } from '../schema.ts'

export interface NewDigest {
  newsletterId: number
  kind?: DigestKind
  copyOf?: number
  cadence: Cadence
  localDate?: string | undefined
  localTime?: string | null
  sendAt?: Date | undefined
  subject?: string | undefined
  preheader?: string | undefined
  intro?: string | undefined
  pinned?: number[]
  excluded?: number[]
  chosen?: number[] | undefined
  changedBy?: string | undefined
}

const open: readonly DigestState[] = ['draft', 'approved', 'scheduled']
const ended = ['completed', 'completed_with_uncertain'] as const
const underway = ['sending', 'paused'] as const

/**
 * Whether a mail of it is with a reader, or may be: one arrives before its row says so. Mail goes out in the order of
 * readers, so the first ones tell, and asking costs the same for a million. Where it is spread over days the first ones
 * wait longest: what was ever counted tells.
 */
const hasReachedReaders = sql<boolean>`case when spread_portion is null and details_ended_at is null then exists (
  select from (
    select state from deliveries where digest_id = digests.id order by subscriber_id limit 1000
  ) as first
  where state in ('committing', 'accepted', 'uncertain'))
else exists (
  select from delivery_counts c
  where c.digest_id = digests.id and c.state in ('committing', 'accepted', 'uncertain') and c.n > 0) end`

/** What a state change sets beside the state; what is absent stays, null clears. */
export type DigestFields = Omit<
  Updateable<Digests>,
  'id' | 'newsletterId' | 'state' | 'pausedReason' | 'version' | 'updatedAt'
>

interface ListFilter {
  newsletterId?: number | undefined
  states?: DigestState[] | undefined
  limit: number
  after?: Cursor | undefined
}

const selectAll = (db: Executor) =>
  db
    .selectFrom('digests')
    .selectAll()
    .$narrowType<
      Pick<Digest, 'kind' | 'cadence' | 'state' | 'resumeState'> & { pausedReason: DigestReason | null }
    >()
type Stored = Awaited<ReturnType<ReturnType<typeof selectAll>['execute']>>[number]

export function digestsStore(db: Executor) {
  return {
    /** Undefined where the occurrence of that cadence has its digest already: another replica was first. */
    async insert(digest: NewDigest): Promise<number | undefined> {
      const row = await db
        .insertInto('digests')
        .values(digest)
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst()
      return row?.id
    },

    async find(id: number): Promise<Digest | undefined> {
      const row = await selectAll(db).where('id', '=', id).executeTakeFirst()
      return row && toDigest(row)
    },

    /** @throws DomainError `no_digest` */
    async get(id: number): Promise<Digest> {
      return (await this.find(id)) ?? missing()
    },

    /** Until the transaction ends nobody else changes it. @throws DomainError `no_digest` */
    async claim(id: number): Promise<Digest> {
      const row = await selectAll(db).where('id', '=', id).forUpdate().executeTakeFirst()
      return row ? toDigest(row) : missing()
    },

    /** Newest first; one more than `limit`. */
    async list({ newsletterId, states, limit, after }: ListFilter): Promise<Digest[]> {
      let query = selectAll(db).orderBy('createdAt', 'desc').orderBy('id', 'desc')
      if (newsletterId !== undefined) query = query.where('newsletterId', '=', newsletterId)
      if (states) query = query.where('state', 'in', states)
      if (after)
        query = query.where(sql<boolean>`(created_at, id) < (${after[0]}::timestamptz, ${after[1]}::bigint)`)
      return (await query.limit(limit + 1).execute()).map(toDigest)
    },

    /** Digests of a newsletter that people got or are getting, newest first: its archive. */
    async listArchive(newsletterId: number, limit: number): Promise<Digest[]> {
      const rows = await selectAll(db)
        .where('newsletterId', '=', newsletterId)
        .where((eb) =>
          eb.or([eb('state', 'in', ended), eb.and([eb('state', 'in', underway), hasReachedReaders])]),
        )
        .orderBy('startedAt', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toDigest)
    },

    /** How many of its newsletter came out, up to this one. */
    countUpTo: ({ newsletterId, startedAt }: Pick<Digest, 'newsletterId' | 'startedAt'>) => getValue<number>(
      db,
    )`
      select count(*) from digests
      where newsletter_id = ${newsletterId} and state = any(${[...ended, ...underway, 'cancelled']})
        and started_at <= ${startedAt}`,

    /** Whether a digest of the newsletter is on its way that nobody has yet. */
    hasUnread: (newsletterId: number) => hasRow(db)`
      select from digests
      where newsletter_id = ${newsletterId} and state = any(${underway}) and not ${hasReachedReaders}`,

    /** Whether a reader may have it before them, also when it was stopped since: the link in the mail must work. */
    isPublic: (id: number) => hasRow(db)`
      select from digests where id = ${id}
        and (state = any(${ended}) or state = any(${[...underway, 'cancelled']}) and ${hasReachedReaders})`,

    /** The scheduled digest of a cadence that has not started: waiting for its time, or for an approval. */
    async findOpen(newsletterId: number, cadence: Cadence): Promise<Digest | undefined> {
      const row = await selectAll(db)
        .where('newsletterId', '=', newsletterId)
        .where('cadence', '=', cadence)
        .where('localDate', 'is not', null)
        .where('state', 'in', open)
        .orderBy('sendAt')
        .executeTakeFirst()
      return row && toDigest(row)
    },

    /** The digest of an occurrence, whatever became of it. */
    async findOccurrence(
      key: Pick<Digest, 'newsletterId' | 'cadence' | 'localDate' | 'localTime'>,
    ): Promise<Digest | undefined> {
      const row = await selectAll(db)
        .where('newsletterId', '=', key.newsletterId)
        .where('cadence', '=', key.cadence)
        .where('localDate', '=', key.localDate)
        .where('localTime', 'is not distinct from', key.localTime)
        .executeTakeFirst()
      return row && toDigest(row)
    },

    /** Digests whose time has come, the longest due first. */
    listDue: (now: Date) => listValues<number>(db)`
      select id from digests where state = any(${open}::text[]) and send_at <= ${now} order by send_at`,

    /** The same where nobody else has it or has changed it since that version; false where somebody has. */
    claimUnchanged: (id: number, version: number) => hasRow(db)`
      select from digests where id = ${id} and version = ${version} and state = any(${open}::text[])
      for update skip locked`,

    /** Digests that the newsroom may still change; those by hand for as long as somebody may be at them. */
    listOpen: (handDays: number) => listValues<number>(db)`
      select id from digests where state = any(${open}::text[])
        and (local_date is not null or created_at > now() - make_interval(days => ${handDays}))
      order by send_at, id`,

    /** Stores what the digest holds now. */
    updateContent: (id: number, content: FrozenDigest, hash: string) =>
      rowsOf(db, 'digests', { id }).update({
        frozen: JSON.stringify(content),
        contentSha256: Buffer.from(hash, 'hex'),
        version: sql<number>`version + 1`,
        updatedAt: databaseTime,
      }),

    /** Stores who would get what now. Nobody approves numbers of readers: the version stays. */
    updatePlans: (id: number, plans: readonly VariantPlan[]) =>
      rowsOf(db, 'digests', { id }).update({ plans: JSON.stringify(plans), refreshedAt: databaseTime }),

    /** The guarded change of state: false where the digest was in none of `from`. */
    markState: (
      id: number,
      from: readonly DigestState[],
      to: DigestState,
      { reason, ...fields }: DigestFields & { reason?: DigestReason | null } = {},
    ): Promise<boolean> =>
      hasChanged(
        db
          .updateTable('digests')
          .set({
            ...fields,
            // The column is named for the first use of a reason.
            pausedReason: reason,
            state: to,
            version: sql<number>`version + 1`,
            updatedAt: databaseTime,
          })
          .where('id', '=', id)
          .where('state', 'in', from),
      ),

    /** How many are in each state that any is in. */
    async countStates(): Promise<Map<string, number>> {
      const rows = await listRows<{ state: string; n: number }>(db)`
        select state, count(*)::integer as n from digests group by 1`
      return new Map(rows.map(({ state, n }) => [state, n]))
    },

    /** Alerts of a newsletter that started since an instant. */
    countAlertsSince: (newsletterId: number, since: Date) => getValue<number>(db)`
      select count(*) from digests
      where newsletter_id = ${newsletterId} and cadence = 'alert' and started_at >= ${since}`,
  }
}

function missing(): never {
  throw notFound('no_digest', 'There is no such digest.')
}

const hex = (bytes: Buffer | null): string | null => bytes && bytes.toString('hex')

function toDigest(stored: Stored): Digest {
  const {
    pausedReason,
    frozen,
    contentSha256,
    approvedSha256,
    plans,
    localTime,
    hasDetails: _,
    ...row
  } = stored
  const { spreadPortion, spreadNextAt, spreadWaiting, spreadHeld, ...digest } = row
  return {
    ...digest,
    localTime: localTime && localTime.slice(0, 5),
    reason: pausedReason,
    content: frozen as unknown as FrozenDigest | null,
    contentHash: hex(contentSha256),
    approvedHash: hex(approvedSha256),
    plans: (plans as unknown as VariantPlan[] | null) ?? [],
    running: spreadNextAt && {
      portion: spreadPortion ?? 0,
      nextAt: spreadNextAt,
      waiting: spreadWaiting,
      held: spreadHeld,
    },
  }
}
