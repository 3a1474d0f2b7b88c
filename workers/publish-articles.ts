import type { ArticleService } from '../src/services/articles/articles.ts'
import type { WorkerDefinition } from './worker.ts'

export const publishArticles = (articles: ArticleService): WorkerDefinition<'publish-articles'> => ({
  name: 'publish-articles',
  async work(_payload, log) {
    const published = await articles.publishDue()
    if (published > 0) log.info({ published }, 'scheduled articles are public')
  },
})
