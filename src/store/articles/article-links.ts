import { sql, type RawBuilder } from 'kysely'
import type { Article } from '../../domain/articles/article.ts'
import type { FeedText, Links } from '../../domain/publication.ts'

/** What the source that an article comes from says, else the publication. @param id of the article in the statement */
const setting = <Value>(name: 'links' | 'feed_text', id: string): RawBuilder<Value> => sql<Value>`coalesce(
  (select s.${sql.ref(name)} from source_items i join sources s on s.id = i.source_id
   where i.article_id = ${sql.ref(id)} and s.${sql.ref(name)} is not null order by s.id limit 1),
  (select p.${sql.ref(name)} from publication p))`

/** The source that it comes from; null where it was written here or came another way. */
export const ownerOf = (id: string) => sql<Article['owner'] | null>`(
  select json_build_object('id', s.id, 'name', s.name) from source_items i join sources s on s.id = i.source_id
  where i.article_id = ${sql.ref(id)} order by s.id limit 1)`

/** Where the links of an article lead: read with it, whoever shows it. */
export const linksOf = (id: string) => setting<Links>('links', id)

/** How much of it feeds show; null where `links` decides. */
export const feedTextOf = (id: string) => setting<FeedText | null>('feed_text', id)
