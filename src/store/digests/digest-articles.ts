import { sql } from 'kysely'
import { titleWords } from '../articles/title-words.ts'
import type { Linked } from '../../domain/articles/links.ts'
import { daysInDigest } from '../../domain/articles/most-read.ts'
import type { Candidate } from '../../domain/digests/digest-content.ts'
import type { GoneArticle } from '../../domain/digests/digest-variant.ts'
import type { FrozenArticle, FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import { invalid } from '../../errors.ts'
import { linksOf } from '../articles/article-links.ts'
import { listRows, rowsOf, run, type Executor } from '../executor.ts'
import { fill, type Emptied } from '../row.ts'

type MostRead = Linked & Pick<Candidate, 'id' | 'title' | 'shortCode'>

/** A desk reads this many at most; what is due beyond it waits for the next digest inside its look-back. */
const maxCandidates = 100

const columns = sql`a.id, a.external_id, a.slug, a.short_code, a.title, a.deck, a.summary, a.language, a.picture, a.published_at,
  a.canonical_url, ${linksOf('a.id')} as links,
  coalesce((
    select jsonb_agg(jsonb_build_object(
      'id', s.id, 'kind', s.kind, 'slug', s.slug, 'names', s.names, 'descriptions', s.description
    ) order by x.position, s.id)
    from article_selections x join selections s on s.id = x.selection_id
    where x.article_id = a.id
  ), '[]') as selections`

/** Those of before too: a rule may have been written with one. */
const slugsOf = (kind: string) => sql`(
  select array_agg(s.slug) from article_selections x join selection_names s on s.id = x.selection_id
  where x.article_id = a.id and s.kind = ${kind})`

export function digestArticlesStore(db: Executor) {
  return {
    /**
     * What the newsletter's rules call due at an instant, newest first: public inside the look-back and since the
     * newsletter began, not excluded by an editor. What a reader already has is not known here; see variants.
     */
    async listDue(
      newsletter: Newsletter,
      { since, until }: { since: Date; until: Date },
    ): Promise<Candidate[]> {
      const { sections, dossiers, tags, language } = newsletter
      const rows = await listRows<Emptied<Candidate>>(db)`
        select ${columns}
        from articles a
        where a.state = 'published'
          and (a.language = ${language} or starts_with(a.language, ${`${language}-`}))
          and a.first_public_at > ${since} and a.first_public_at <= ${until}
          and a.first_public_at >= ${newsletter.beganAt}
          and not exists (
            select from newsletter_exclusions e where e.newsletter_id = ${newsletter.id} and e.article_id = a.id)
          and (
            ${sections.length + dossiers.length + tags.length === 0}
            or ${slugsOf('section')} && ${sections}::text[]
            or ${slugsOf('dossier')} && ${dossiers}::text[]
            or ${slugsOf('tag')} && ${tags}::text[])
        order by a.first_public_at desc, a.id desc
        limit ${maxCandidates}`
      return rows.map(fill)
    },

    /** Published articles among these ids, in their order. */
    async listByIds(ids: readonly number[]): Promise<Candidate[]> {
      if (ids.length === 0) return []
      const rows = await listRows<Emptied<Candidate>>(db)`
        select ${columns}
        from unnest(${ids}::bigint[]) with ordinality wanted (id, position)
        join articles a on a.id = wanted.id and a.state = 'published'
        order by wanted.position`
      return rows.map(fill)
    },

    /** Of these, what a newsletter may hold whenever it became public: published, of its language, not excluded; in their order. */
    async listPicked({ id, language }: Newsletter, ids: readonly number[]): Promise<Candidate[]> {
      if (ids.length === 0) return []
      const rows = await listRows<Emptied<Candidate>>(db)`
        select ${columns}
        from unnest(${ids}::bigint[]) with ordinality wanted (id, position)
        join articles a on a.id = wanted.id and a.state = 'published'
        where (a.language = ${language} or starts_with(a.language, ${`${language}-`}))
          and not exists (
            select from newsletter_exclusions e where e.newsletter_id = ${id} and e.article_id = a.id)
        order by wanted.position`
      return rows.map(fill)
    },

    /** What these digests show and readers may not see any more. */
    async listGone(contents: readonly FrozenDigest[]): Promise<GoneArticle[]> {
      const shown = contents.flatMap(({ articles, mostRead }) => [...articles, ...mostRead])
      if (shown.length === 0) return []
      const ids = shown.flatMap(({ id }) => id ?? [])
      // Frozen before the most read had ids.
      const slugs = shown.flatMap(({ id, url }) => (id === undefined ? slugOfUrl(url) : []))
      return listRows<GoneArticle>(db)`
        select id, slug from articles
        where (id = any(${ids}::bigint[]) or slug = any(${slugs}::text[])) and state <> 'published' order by id`
    },

    /**
     * A digest that readers have shows more or less of itself than before, because an article was withdrawn or came
     * back. @returns which, and the newsletters whose archives hold them
     */
    updateArchives: (articleId: number) => listRows<{ digestId: number; newsletter: string }>(db)`
      with changed as (
        update digests set archive_changed_at = clock_timestamp()
        where started_at is not null and state <> 'preparing'
          and id in (select digest_id from digest_articles where article_id = ${articleId})
        returning id, newsletter_id
      )
      select changed.id as digest_id, n.slug as newsletter from changed join newsletters n on n.id = changed.newsletter_id`,

    /** A dozen published articles whose title has all of these words, whatever their case and accents, newest first. */
    listByTitle: (words: string, { language, except }: { language: string; except: readonly string[] }) =>
      listRows<{ externalId: string; title: string; firstPublicAt: Date | null }>(db)`
        select external_id, title, first_public_at from articles
        where state = 'published' and (language = ${language} or starts_with(language, ${`${language}-`}))
          and fold_text(title) like all(select fold_text(pattern) from unnest(${titleWords(words)}::text[]) pattern)
          and external_id <> all(${except}::text[])
        order by first_public_at desc, id desc limit 12`,

    /**
     * Ids of public articles by external id, in the order given.
     * @throws DomainError `article_not_public` naming the first that is unknown or not public
     */
    async getIds(externalIds: readonly string[]): Promise<number[]> {
      const rows = await listRows<{ id: number; externalId: string }>(db)`
        select id, external_id from articles
        where external_id = any(${externalIds}::text[]) and state = 'published'`
      const idOf = new Map(rows.map((row) => [row.externalId, row.id]))
      return externalIds.map((externalId) => {
        const id = idOf.get(externalId)
        if (id !== undefined) return id
        const sentence = `There is no public article ${externalId}: name published articles only.`
        throw invalid('article_not_public', sentence, { field: 'articles' })
      })
    },

    /** External ids by id, for showing. */
    async listExternalIds(ids: readonly number[]): Promise<Map<number, string>> {
      const rows = await listRows<{ id: number; externalId: string }>(db)`
        select id, external_id from articles where id = any(${ids}::bigint[])`
      return new Map(rows.map((row) => [row.id, row.externalId]))
    },

    /**
     * The most read of the finished days before `date`: a live count would change a digest, and ask
     * for another approval, with every reader of the site.
     */
    async listMostRead(language: string, date: string, limit: number): Promise<MostRead[]> {
      const rows = await listRows<Emptied<MostRead>>(db)`
        select a.id, a.title, a.slug, a.short_code, a.canonical_url, ${linksOf('a.id')} as links
        from article_views v join articles a on a.id = v.article_id
        where v.date >= ${date}::date - ${daysInDigest}::int and v.date < ${date}::date
          and a.state = 'published' and (a.language = ${language} or starts_with(a.language, ${`${language}-`}))
        group by a.id
        order by sum(v.n) desc, a.id desc
        limit ${limit}`
      return rows.map(fill)
    },

    /** Replaces the articles of a digest by what its content holds now. */
    async putAll(
      digestId: number,
      articles: readonly FrozenArticle[],
      pinned: readonly number[],
    ): Promise<void> {
      await rowsOf(db, 'digestArticles', { digestId }).delete()
      if (articles.length === 0) return
      await db
        .insertInto('digestArticles')
        .values(
          articles.map((article, position) => ({
            digestId,
            articleId: article.id,
            position,
            pinned: pinned.includes(article.id),
            snapshot: JSON.stringify(article),
          })),
        )
        .execute()
    },

    /** An editor's "not in this newsletter". */
    async insertExclusions(
      newsletterId: number,
      articleIds: readonly number[],
      actor: string,
    ): Promise<void> {
      if (articleIds.length === 0) return
      await db
        .insertInto('newsletterExclusions')
        .values(articleIds.map((articleId) => ({ newsletterId, articleId, excludedBy: actor })))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    async deleteExclusions(newsletterId: number, articleIds: readonly number[]): Promise<void> {
      await run(db)`
        delete from newsletter_exclusions
        where newsletter_id = ${newsletterId} and article_id = any(${articleIds}::bigint[])`
    },
  }
}

const slugOfUrl = (url: string): string[] => {
  const slug = /\/articles\/([^/?#]+)$/.exec(url)?.[1]
  return slug === undefined ? [] : [decodeURIComponent(slug)]
}
