import { sql } from 'kysely'
import type { Article, ArticleBody } from '../../domain/articles/article.ts'
import { hasRow, listRows, type Executor } from '../executor.ts'
import { fill, type Emptied } from '../row.ts'

/** What an article said before what it says now. */
const keptBodies = 20

/** Undefined where something that knows of no Markdown has written the HTML since. */
export const markdownOfArticle = sql<
  string | null
>`case when articles.markdown_md5 = md5(articles.html) then articles.markdown end`

const text = sql`title, deck, coalesce(${markdownOfArticle}, html) as body,
  case when ${markdownOfArticle} is null then 'html' else 'markdown' end as format,
  written_by, coalesce(written_at, created_at) as written_at`

export function articleBodies(db: Executor) {
  return {
    /** What it says, then what it said, the latest first. */
    async listBodies(articleId: number): Promise<ArticleBody[]> {
      const rows = await listRows<Emptied<ArticleBody>>(db)`
        select null::bigint as id, ${text} from articles where id = ${articleId}
        union all (
          select id, title, deck, body, format, written_by, written_at from article_bodies
          where article_id = ${articleId} order by id desc)`
      return rows.map(fill)
    },
  }
}

/** Keeps what it says now, unless `next` says the same: whether it does not. */
export async function insertBody(
  db: Executor,
  articleId: number,
  next: Pick<Article, 'title' | 'deck' | 'html'>,
): Promise<boolean> {
  return hasRow(db)`
    with former as (
      insert into article_bodies (article_id, title, deck, body, format, written_by, written_at)
      select id, ${text} from articles
      where id = ${articleId} and (title, deck, html) is distinct from (${next.title}, ${next.deck}, ${next.html})
      returning article_id),
    pruned as (
      delete from article_bodies b using former f
      where b.article_id = f.article_id and b.id not in (
        select id from article_bodies where article_id = ${articleId} order by id desc limit ${keptBodies - 1}))
    select from former`
}
