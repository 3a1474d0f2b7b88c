import type { Article } from '../../src/domain/articles/article.ts'
import { putArticles } from '../../src/services/articles/put-articles.ts'
import { articleInput, type ArticleInput } from '../../src/services/articles/input.ts'
import type { Database } from '../../src/store/database.ts'

let made = 0

export type ArticleWish = Partial<ArticleInput> & {
  externalId?: string
  /** When it became public here; default: `publishedAt`, else now. */
  firstPublicAt?: Date
  slug?: string
  oldPath?: string
}

/** A published article in the store: French, in the section `a-la-une`, with one author, unless said otherwise. */
export async function anArticle(database: Database, wish: ArticleWish = {}): Promise<Article> {
  made += 1
  const { externalId = `article-${made}`, firstPublicAt, slug, oldPath, ...input } = wish
  const body = articleInput.parse({
    title: `Le phare se rallume (${made})`,
    html: '<p>Le phare de Port-Clair brille de nouveau depuis hier soir.</p>',
    language: 'fr',
    sections: ['a-la-une'],
    authors: ['Lina Marsa'],
    ...input,
  })
  const published = body.state === 'scheduled' ? undefined : body.publishedAt
  const isImport = slug !== undefined || oldPath !== undefined
  const origin = { slug, oldPath, baseUrl: 'https://rivage.example' }
  return database.transaction(async (stores) => {
    const [result] = await putArticles(stores, [{ externalId, input: body, ...(isImport && { origin }) }], {
      publicUrl: 'https://rivage.example',
      now: firstPublicAt ?? new Date(published ?? Date.now()),
    })
    if (!result || 'error' in result) throw result?.error ?? new Error('no result')
    return stores.articles.getByExternalId(externalId)
  })
}
