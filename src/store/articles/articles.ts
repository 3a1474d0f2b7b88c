import { sql } from 'kysely'
import { titleWords } from './title-words.ts'
import type { Article, ArticleState, Selection } from '../../domain/articles/article.ts'
import type { PageRequest } from '../../domain/cursor.ts'
import { notFound } from '../../errors.ts'
import { feedTextOf, linksOf, ownerOf } from './article-links.ts'
import { articleBodies, markdownOfArticle } from './article-bodies.ts'
import { articleMerge } from './article-merge.ts'
import { articleWrites } from './article-writes.ts'
import { findValue, getValue, listRows, listValues, type Executor } from '../executor.ts'
import { fill, type Emptied } from '../row.ts'

export interface PublicFilter {
  language?: string | undefined
  /** Every language but this one. */
  exceptLanguage?: string
  selectionId?: number | undefined
  /** Keyset of the last article of the page before. */
  before?: (Pick<Article, 'id'> & { firstPublicAt: Date }) | undefined
  /** Default: published and withdrawn, which a feed shows as a notice. */
  state?: 'published' | 'withdrawn'
  limit: number
}

/** Of the desk's list; `text` holds beginnings, middles or ends of words of the title. */
export interface ArticleFilter {
  text?: string | undefined
  state?: ArticleState | undefined
  language?: string | undefined
  /** Slug. */
  section?: string | undefined
  /** Id. */
  source?: number | undefined
}

/** As the index `articles_dated` has it. */
const datedAt = sql`date_trunc('milliseconds', coalesce(articles.published_at, articles.created_at) at time zone 'UTC')`

const publicStates: ArticleState[] = ['published', 'withdrawn']

const columns = [
  ...([
    'id',
    'externalId',
    'guid',
    'slug',
    'shortCode',
    'language',
    'title',
    'deck',
    'summary',
    'html',
  ] as const),
  ...(['state', 'publishedAt', 'firstPublicAt', 'withdrawnAt', 'withdrawnReason', 'canonicalUrl'] as const),
  ...(['picture', 'enclosure', 'viewsTotal', 'oldPath', 'heldAt', 'writtenAt'] as const),
  ...(['responsesOpen as areResponsesOpen', 'correction', 'correctedAt', 'createdAt', 'updatedAt'] as const),
] as const

type Row = Emptied<Omit<Article, 'sections' | 'dossiers' | 'tags' | 'authors'>> & {
  selections: Selection[] | null
}

const selectionsOfArticle = sql<Selection[] | null>`(
  select json_agg(json_build_object('id', s.id, 'kind', s.kind, 'slug', s.slug, 'names', s.names,
                                    'descriptions', s.description) order by x.position, s.id)
  from article_selections x join selections s on s.id = x.selection_id
  where x.article_id = articles.id)`

const translatedArticle = sql<
  string | null
>`(select o.external_id from articles o where o.id = articles.translation_of)`

const responsesOfArticle = sql<number>`(select count(*) from responses r where r.article_id = articles.id)`

const fromAtHome = (host: string) => sql`
  from articles a left join (
    select distinct on (i.article_id) i.article_id, s.links from source_items i join sources s on s.id = i.source_id
    where s.links is not null order by i.article_id, s.id) own on own.article_id = a.id
  where a.state = 'published' and coalesce(own.links, (select links from publication)) = 'here'
    and (canonical_url is null or regexp_replace(split_part(canonical_url, '/', 3), '^www\\.', '') = ${host})`

export function articlesStore(db: Executor) {
  const select = () =>
    db
      .selectFrom('articles')
      .select(columns.map((name) => `articles.${name}` as const))
      .select([
        selectionsOfArticle.as('selections'),
        markdownOfArticle.as('markdown'),
        translatedArticle.as('translationOf'),
        responsesOfArticle.as('responsesCount'),
        linksOf('articles.id').as('links'),
        feedTextOf('articles.id').as('feedText'),
        ownerOf('articles.id').as('owner'),
      ])
      .$castTo<Row>()

  const first = async (query: { executeTakeFirst: () => Promise<Row | undefined> }) => {
    const row = await query.executeTakeFirst()
    return row && toArticle(row)
  }

  const findBy = (column: 'id' | 'slug' | 'externalId' | 'shortCode', value: string | number) =>
    first(select().where(`articles.${column}`, '=', value as never))

  const findByAlias = (column: 'externalId' | 'shortCode', value: string) =>
    first(
      select()
        .innerJoin('articleAliases as alias', 'alias.articleId', 'articles.id')
        .where(`alias.${column}`, '=', value),
    )

  /** Also by an id that it once had, or that another article had which was merged into it. */
  const findByExternalId = async (externalId: string): Promise<Article | undefined> =>
    (await findBy('externalId', externalId)) ?? (await findByAlias('externalId', externalId))

  /** In the order of `ids`; ids without an article are left out. */
  const listByIds = async (ids: number[]): Promise<Article[]> => {
    if (ids.length === 0) return []
    const rows = await select().where('articles.id', 'in', ids).execute()
    const byId = new Map(rows.map((row) => [row.id, toArticle(row)]))
    return ids.flatMap((id) => byId.get(id) ?? [])
  }

  const selectWhere = (
    filter: Pick<PublicFilter, 'language' | 'selectionId'> & { states?: ArticleState[] },
  ) => {
    let query = select()
    if (filter.states) query = query.where('articles.state', 'in', filter.states)
    if (filter.language !== undefined) query = query.where('articles.language', '=', filter.language)
    if (filter.selectionId !== undefined) {
      query = query.where(sql<boolean>`articles.id in (
        select article_id from article_selections where selection_id = ${filter.selectionId})`)
    }
    return query
  }

  return {
    ...articleWrites(db),
    ...articleMerge(db),
    ...articleBodies(db),

    find: (id: number): Promise<Article | undefined> => findBy('id', id),
    findBySlug: (slug: string): Promise<Article | undefined> => findBy('slug', slug),
    findByShortCode: async (shortCode: string): Promise<Article | undefined> =>
      (await findBy('shortCode', shortCode)) ?? (await findByAlias('shortCode', shortCode)),

    findByExternalId,

    /** @throws DomainError `no_article` */
    async getByExternalId(externalId: string): Promise<Article> {
      const article = await findByExternalId(externalId)
      if (!article) {
        throw notFound('no_article', 'There is no article with this external id.')
      }
      return article
    },

    /**
     * By the path of its permalink before an import.
     * @param paths canonical (`canonicalPath`); the first that an article had wins, of several articles one that is out
     */
    async findPublicByOldPath(paths: string[]): Promise<Article | undefined> {
      if (paths.length === 0) return undefined
      const id = await findValue<number>(db)`
        select a.id from (
          select id, lower(rtrim(old_path, '/')) as path from articles
          where old_path is not null and lower(rtrim(old_path, '/')) = any(${paths})
          union all
          select article_id, lower(rtrim(old_path, '/')) from article_aliases
          where old_path is not null and lower(rtrim(old_path, '/')) = any(${paths})) as found
        join articles a on a.id = found.id and a.state in ('published', 'withdrawn')
        order by array_position(${paths}::text[], path), a.state = 'withdrawn', a.id limit 1`
      return id === undefined ? undefined : findBy('id', id)
    },

    /** By the number that a post had in its WordPress; where two sites had it, the one that came first. */
    findPublicByWordpressId: (id: string): Promise<Article | undefined> =>
      first(
        select()
          .where('state', 'in', publicStates)
          .where(
            sql<boolean>`articles.id in (
            select id from articles where external_id like 'wp:%' and substring(external_id from '^wp:.*:([0-9]+)$') = ${id}
            union all
            select article_id from article_aliases
            where external_id like 'wp:%' and substring(external_id from '^wp:.*:([0-9]+)$') = ${id}
            union all
            select id from articles where guid like '%p=%' and substring(guid from '[?&;]p=([0-9]+)$') = ${id})`,
          )
          .orderBy('articles.id')
          .limit(1),
      ),

    /** @param date a year, month or day of the publication's zone: `2026`, `2026-11`, `2026-11-28` */
    async hasPublicIn(date: string): Promise<boolean> {
      const [year, month, day] = date.split('-')
      const from = `${year}-${month ?? '01'}-${day ?? '01'}`
      const length = day ? '1 day' : month ? '1 month' : '1 year'
      return getValue<boolean>(db)`
        select exists (
          select 1 from articles a, publication p
          where a.state in ('published', 'withdrawn')
            and a.first_public_at >= ${from}::timestamp at time zone p.zone
            and a.first_public_at < (${from}::timestamp + ${length}::interval) at time zone p.zone
        ) as is_found`
    },

    /** By a slug it once had. */
    findBySlugHistory: (slug: string): Promise<Article | undefined> =>
      first(
        select()
          .innerJoin('articleSlugs as past', 'past.articleId', 'articles.id')
          .where('past.slug', '=', slug),
      ),

    /** Those published among which each translates another, but this one, whichever way round it was said. */
    async listTranslations(id: number): Promise<Article[]> {
      const ids = await listValues<number>(db)`
        with recursive kin (id) as (
          select ${id}::bigint
          union
          select other.id from kin join articles a on a.id = kin.id
          join articles other on other.translation_of = a.id or other.id = a.translation_of)
        select a.id from kin join articles a on a.id = kin.id
        where a.id <> ${id} and a.state = 'published' order by a.language, a.id`
      return listByIds(ids)
    },

    listByIds,

    /** Newest first by `firstPublicAt`, with their selections. */
    async listPublic(filter: PublicFilter): Promise<Article[]> {
      let query = selectWhere({
        ...filter,
        states: filter.state ? [filter.state] : publicStates,
      })
        .orderBy('firstPublicAt', 'desc')
        .orderBy('articles.id', 'desc')
        .limit(filter.limit)
      if (filter.exceptLanguage !== undefined) {
        query = query.where('articles.language', '<>', filter.exceptLanguage)
      }
      if (filter.before) {
        const { firstPublicAt, id } = filter.before
        query = query.where(sql<boolean>`(first_public_at, articles.id) < (${firstPublicAt}, ${id})`)
      }
      return (await query.execute()).map(toArticle)
    },

    /**
     * Published ones with most views first: on `date` (a day of the publication's zone), else of all time.
     * @param options.atLeast views; default 1
     */
    async listMostRead(
      options: Pick<PublicFilter, 'limit' | 'language'> & { date?: string | undefined; atLeast?: number },
    ): Promise<Article[]> {
      const { date, limit, atLeast = 1 } = options
      const views =
        date === undefined
          ? db.selectFrom('articleTotals').select(['articleId', 'n'])
          : db.selectFrom('articleViews').select(['articleId', 'n']).where('date', '=', date)
      const query = selectWhere({ ...options, states: ['published'] })
        .innerJoin(views.as('v'), 'v.articleId', 'articles.id')
        .where('v.n', '>=', atLeast)
        .orderBy('v.n', 'desc')
        .orderBy('v.articleId', 'desc')
        .limit(limit)
      return (await query.execute()).map(toArticle)
    },

    /** How many are published whose page is the one here. @param host as `siteHostOf` has it */
    countAtHome: (host: string) => getValue<number>(db)`select count(*) as n ${fromAtHome(host)}`,

    /** Those, the oldest first. */
    listAtHome: (
      host: string,
      { limit, offset }: { limit: number; offset: number },
    ): Promise<Pick<Article, 'slug' | 'updatedAt'>[]> =>
      listRows<Pick<Article, 'slug' | 'updatedAt'>>(db)`
        select slug, updated_at ${fromAtHome(host)} order by a.id limit ${limit} offset ${offset}`,

    /**
     * In every state, the newest date first, a draft by when it was begun; one more than `limit`, which tells that there
     * is a next page.
     */
    async list({ limit, after, ...filter }: ArticleFilter & PageRequest): Promise<Article[]> {
      const { state, section, source, text = '' } = filter
      let query = selectWhere({ ...filter, ...(state && { states: [state] }) })
        .orderBy(datedAt, 'desc')
        .orderBy('articles.id', 'desc')
        .limit(limit + 1)
      const parts = titleWords(text)
      if (parts[0] !== undefined) {
        // The longest by the index, the rest among what it finds: one statement, whatever is asked for.
        query = query.where(sql<boolean>`fold_text(articles.title) like fold_text(${parts[0]})
          and fold_text(articles.title) like all(select fold_text(part) from unnest(${parts}::text[]) part)`)
      }
      if (section !== undefined) {
        query = query.where(sql<boolean>`articles.id in (
          select x.article_id from article_selections x join selection_names s on s.id = x.selection_id
          where s.kind = 'section' and s.slug = ${section})`)
      }
      if (source !== undefined) {
        query = query.where(
          sql<boolean>`articles.id in (select article_id from source_items where source_id = ${source})`,
        )
      }
      if (after) {
        const [time, id] = after
        query = query.where(
          sql<boolean>`(${datedAt}, articles.id) < (${time}::timestamptz at time zone 'UTC', ${id})`,
        )
      }
      return (await query.execute()).map(toArticle)
    },
  }
}

function toArticle({ selections, ...row }: Row): Article {
  const ofKind = Object.groupBy(selections ?? [], ({ kind }) => kind)
  const { section: sections = [], dossier: dossiers = [], tag: tags = [], author: authors = [] } = ofKind
  return { ...fill(row), sections, dossiers, tags, authors }
}
