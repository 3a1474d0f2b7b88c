import { sql } from 'kysely'
import type { DecidedState, WrittenResponse } from '../../domain/responses/written-response.ts'
import { keptDays } from '../../domain/retention.ts'
import { activationLifetimeDays } from '../../domain/signups/activation.ts'
import type { PageRequest } from '../../domain/cursor.ts'
import { findRow, getValue, hasRow, listRows, rowsOf, run, type Executor } from '../executor.ts'
import { dayMs } from '../../domain/time.ts'

type Written = Pick<
  WrittenResponse,
  'articleId' | 'kind' | 'guid' | 'author' | 'authorUrl' | 'html' | 'language'
>

const columns = sql`
  w.id, w.article_id, w.kind, w.guid, w.author, w.author_url, w.html, w.language, w.state, w.written_at, w.held_at,
  w.decided_at, r.address, jsonb_build_object(
    'externalId', a.external_id, 'slug', a.slug, 'title', a.title, 'language', a.language) as article`
const tables = sql`written_responses w join articles a on a.id = w.article_id left join responders r on r.id = w.responder_id`

/** What was written on the public pages, and by whom. */
export function writtenResponsesStore(db: Executor) {
  return {
    /** The responder's id. */
    putResponder: (address: string, at: Date) => getValue<number>(db)`
      insert into responders (address, last_response_at) values (${address}, ${at})
      on conflict (lower(address)) do update set last_response_at = greatest(responders.last_response_at, ${at}::timestamptz)
      returning id`,

    async insert(
      written: Written & { responderId: number | null; writtenAt: Date; mailedAt: Date | null },
    ): Promise<number> {
      const { id } = await db
        .insertInto('writtenResponses')
        .values({ ...written, state: 'unconfirmed' })
        .returning('id')
        .executeTakeFirstOrThrow()
      return id
    },

    find: (id: number) => findRow<WrittenResponse>(db)`select ${columns} from ${tables} where w.id = ${id}`,

    /** The same, held until the transaction ends. */
    lock: (id: number) => findRow<WrittenResponse>(db)`
      select ${columns} from ${tables} where w.id = ${id} for update of w`,

    /** The same words under the same article: of the same person; else, of anybody, where they were confirmed. */
    findSame: ({ articleId, html }: Pick<Written, 'articleId' | 'html'>, responderId?: number) =>
      findRow<Pick<WrittenResponse, 'id' | 'state'>>(db)`
      select id, state from written_responses where article_id = ${articleId} and html = ${html} and ${
        responderId === undefined ? sql`state <> 'unconfirmed'` : sql`responder_id = ${responderId}`
      } limit 1`,

    /** Until the transaction ends nobody else tells of this page. */
    async claim(url: string): Promise<void> {
      await run(db)`select pg_advisory_xact_lock(hashtextextended(${url}, 0))`
    },

    /** Whether this page has told of its link before. */
    hasTrackback: (articleId: number, url: string) => hasRow(db)`
      select from written_responses
      where article_id = ${articleId} and kind = 'trackback' and author_url = ${url} limit 1`,

    /** Newest first; one more than the limit. */
    list: (state: DecidedState, { limit, after }: PageRequest) => listRows<WrittenResponse>(db)`
      select ${columns} from ${tables}
      where w.state = ${state} and w.id < ${after?.[0] ?? Number.MAX_SAFE_INTEGER}
      order by w.id desc limit ${limit + 1}`,

    /** Those that wait for a person; of these, since. */
    countHeld: (since = new Date(0)) => getValue<number>(db)`
      select count(*)::int as n from written_responses where state = 'held' and held_at >= ${since}`,

    updateMailed: (id: number, at: Date) =>
      rowsOf(db, 'writtenResponses', { id }).update({ mailedAt: at, writtenAt: at }),

    markHeld: (id: number, at: Date) =>
      rowsOf(db, 'writtenResponses', { id }).update({ state: 'held', heldAt: at }),

    markDecided: (id: number, state: DecidedState, at: Date | null) =>
      rowsOf(db, 'writtenResponses', { id }).update({ state, decidedAt: at }),

    /** A published one that was deleted by its id under the article. */
    markTaken: (guid: string, at: Date) =>
      rowsOf(db, 'writtenResponses', { guid }).update({ state: 'refused', decidedAt: at }),

    delete: (id: number) => rowsOf(db, 'writtenResponses', { id }).delete(),

    /** What somebody has written, newest first. */
    async listOf(address: string) {
      type Line = Pick<WrittenResponse, 'author' | 'html' | 'state' | 'writtenAt'> & { article: string }
      return listRows<Line>(db)`
        select a.title as article, w.author, w.html, w.state, w.written_at
        from responders r join written_responses w on w.responder_id = r.id join articles a on a.id = w.article_id
        where lower(r.address) = lower(${address}) order by w.id desc limit 1000`
    },

    /** The address, and what was not confirmed; the rest stays, under its name. */
    async deleteResponder(address: string): Promise<void> {
      await run(db)`
        with gone as (delete from responders where lower(address) = lower(${address}) returning id)
        delete from written_responses using gone where responder_id = gone.id and state = 'unconfirmed'`
    },

    /** What nobody has confirmed, and addresses that have no response, or none for long. */
    async sweep(now: Date): Promise<void> {
      const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs)
      await run(db)`
        delete from written_responses
        where state = 'unconfirmed' and written_at < ${daysAgo(activationLifetimeDays)}`
      await run(db)`
        delete from responders r where last_response_at < ${daysAgo(keptDays.responders)}
          or not exists (select from written_responses w where w.responder_id = r.id)`
    },
  }
}
