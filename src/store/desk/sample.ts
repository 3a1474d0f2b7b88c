import { sql } from 'kysely'
import { findRow, listRows, type Executor } from '../executor.ts'
import { feedChannel } from '../feeds/feed-documents.ts'

/** What `npm start` has invented, and what hangs on it. */
export interface Sample {
  articles: number[]
  newsletters: { id: number; name: string; language: string }[]
  /** Of its newsletters, or with one of its articles. */
  digests: number[]
  /** Who receives nothing but its newsletters. */
  subscribers: number[]
  /** Of those, who was not erased. */
  people: number
}

/** The mail catcher says so of all it takes. */
const wasSent = sql`state = 'accepted' and smtp_answer !~ ' caught$'`

export function sampleStore(db: Executor) {
  return {
    /** Undefined where nothing of it is here. */
    async find(): Promise<Sample | undefined> {
      const rows = await listRows<{ articles: number[] }>(db)`
        select array_agg(id) as articles from articles
        where external_id in (select 'rivage-' || n from generate_series(101, 299) n)
        having count(*) > 0`
      const [found] = rows
      if (!found) return undefined
      const { rows: newsletters } = await sql<Sample['newsletters'][number]>`
        select id, name, language from newsletters
        where id in (select newsletter_id from consents where basis = 'sample newsroom') order by position, id`.execute(
        db,
      )
      if (newsletters.length === 0) return undefined
      const ids = newsletters.map(({ id }) => id)
      const { rows: held } = await sql<Pick<Sample, 'digests' | 'subscribers' | 'people'>>`
        select
          array(select id from digests d where newsletter_id = any(${ids})
            or exists (select from digest_articles x where x.digest_id = d.id and x.article_id = any(${found.articles})))
            as digests,
          array(select subscriber_id from subscriptions group by 1 having bool_and(newsletter_id = any(${ids})))
            as subscribers,
          (select count(*)::integer from subscribers where erased_at is null and id in (
            select subscriber_id from subscriptions group by 1 having bool_and(newsletter_id = any(${ids})))) as people`.execute(
        db,
      )
      return { ...found, newsletters, ...(held[0] ?? { digests: [], subscribers: [], people: 0 }) }
    },

    /** Whether a server other than the mail catcher has ever taken a mail of ours. */
    async hasSent(): Promise<boolean> {
      const row = await findRow<{ has: boolean }>(db)`
        select exists (select from outbox where ${wasSent}) or exists (select from deliveries where ${wasSent}) as has`
      return row?.has ?? false
    },

    /** Whether one of these is on its way; until the transaction ends none begins. */
    async isSending(digests: number[]): Promise<boolean> {
      const rows = await listRows<{ state: string }>(db)`
        select state from digests where id = any(${digests}) order by id for update`
      return rows.some(({ state }) => state === 'preparing' || state === 'sending')
    },

    /** The settings of the publication that a person has changed. */
    async listOwnSettings(): Promise<string[]> {
      const rows = await listRows<{ name: string }>(db)`
        select distinct jsonb_object_keys(detail) as name from audit
        where action = 'publication.changed' and actor <> 'system'`
      return rows.map(({ name }) => name)
    },

    /** All of it, and the feeds: each is made anew for its next reader, without what was. */
    async delete({ articles, newsletters, digests, subscribers }: Sample): Promise<void> {
      const ids = newsletters.map(({ id }) => id)
      const { rows: selections } = await sql<{ id: number }>`
        select distinct selection_id as id from article_selections where article_id = any(${articles})`.execute(
        db,
      )
      await sql`delete from deliveries where digest_id = any(${digests})`.execute(db)
      await sql`delete from delivery_counts where digest_id = any(${digests})`.execute(db)
      await sql`update digests set copy_of = null where copy_of = any(${digests})`.execute(db)
      await sql`delete from digests where id = any(${digests})`.execute(db)
      await sql`delete from consents where newsletter_id = any(${ids}) or subscriber_id = any(${subscribers})`.execute(
        db,
      )
      await sql`delete from subscriptions where newsletter_id = any(${ids})`.execute(db)
      await sql`delete from reader_counts where newsletter_id = any(${ids})`.execute(db)
      for (const table of ['outbox', 'bounces'])
        await sql`delete from ${sql.table(table)} where subscriber_id = any(${subscribers})`.execute(db)
      await sql`delete from subscribers where id = any(${subscribers})`.execute(db)
      await sql`delete from newsletters where id = any(${ids})`.execute(db)
      await sql`delete from articles where id = any(${articles})`.execute(db)
      await sql`
        delete from selections s
        where id = any(${selections.map(({ id }) => id)})
          and not exists (select from article_selections where selection_id = s.id)
          and not exists (select from subscriptions where s.id = any(sections))
          and not exists (select from newsletters where s.slug = any(sections || dossiers || tags))`.execute(
        db,
      )
      await sql`
        with gone as (delete from feed_documents returning path)
        select pg_notify(${feedChannel}, path) from gone`.execute(db)
    },
  }
}
