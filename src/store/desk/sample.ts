import { sql } from 'kysely'
import { findValue, getRow, getValue, listRows, listValues, run, type Executor } from '../executor.ts'
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
      const articles = await findValue<number[]>(db)`
        select array_agg(id) as articles from articles
        where external_id in (select 'rivage-' || n from generate_series(101, 299) n)
        having count(*) > 0`
      if (!articles) return undefined
      const newsletters = await listRows<Sample['newsletters'][number]>(db)`
        select id, name, language from newsletters
        where id in (select newsletter_id from consents where basis = 'sample newsroom') order by position, id`
      if (newsletters.length === 0) return undefined
      const ids = newsletters.map(({ id }) => id)
      const held = await getRow<Pick<Sample, 'digests' | 'subscribers' | 'people'>>(db)`
        select
          array(select id from digests d where newsletter_id = any(${ids})
            or exists (select from digest_articles x where x.digest_id = d.id and x.article_id = any(${articles})))
            as digests,
          array(select subscriber_id from subscriptions group by 1 having bool_and(newsletter_id = any(${ids})))
            as subscribers,
          (select count(*)::integer from subscribers where erased_at is null and id in (
            select subscriber_id from subscriptions group by 1 having bool_and(newsletter_id = any(${ids})))) as people`
      return { articles, newsletters, ...held }
    },

    /** Whether a server other than the mail catcher has ever taken a mail of ours. */
    hasSent: () => getValue<boolean>(db)`
      select exists (select from outbox where ${wasSent}) or exists (select from deliveries where ${wasSent}) as has`,

    /** Whether one of these is on its way; until the transaction ends none begins. */
    async isSending(digests: number[]): Promise<boolean> {
      const states = await listValues<string>(db)`
        select state from digests where id = any(${digests}) order by id for update`
      return states.includes('preparing') || states.includes('sending')
    },

    /** The settings of the publication that a person has changed. */
    listOwnSettings: () => listValues<string>(db)`
      select distinct jsonb_object_keys(detail) as name from audit
      where action = 'publication.changed' and actor <> 'system'`,

    /** All of it, and the feeds: each is made anew for its next reader, without what was. */
    async delete({ articles, newsletters, digests, subscribers }: Sample): Promise<void> {
      const ids = newsletters.map(({ id }) => id)
      const selections = await listValues<number>(db)`
        select distinct selection_id as id from article_selections where article_id = any(${articles})`
      await run(db)`delete from deliveries where digest_id = any(${digests})`
      await run(db)`delete from delivery_counts where digest_id = any(${digests})`
      await run(db)`update digests set copy_of = null where copy_of = any(${digests})`
      await run(db)`delete from digests where id = any(${digests})`
      await run(db)`
        delete from consents where newsletter_id = any(${ids}) or subscriber_id = any(${subscribers})`
      await run(db)`delete from subscriptions where newsletter_id = any(${ids})`
      await run(db)`delete from reader_counts where newsletter_id = any(${ids})`
      for (const table of ['outbox', 'bounces'])
        await run(db)`delete from ${sql.table(table)} where subscriber_id = any(${subscribers})`
      await run(db)`delete from subscribers where id = any(${subscribers})`
      await run(db)`delete from newsletters where id = any(${ids})`
      await run(db)`delete from articles where id = any(${articles})`
      await run(db)`
        delete from selections s
        where id = any(${selections})
          and not exists (select from article_selections where selection_id = s.id)
          and not exists (select from subscriptions where s.id = any(sections))
          and not exists (select from newsletters where s.slug = any(sections || dossiers || tags))`
      await run(db)`
        with gone as (delete from feed_documents returning path)
        select pg_notify(${feedChannel}, path) from gone`
    },
  }
}
