import { parentPort } from 'node:worker_threads'
import { sanitizeArticleHtml } from '../../domain/articles/article-html.ts'
import { DomainError } from '../../errors.ts'

parentPort?.on('message', (given: Parameters<typeof sanitizeArticleHtml>) => {
  try {
    parentPort?.postMessage({ html: sanitizeArticleHtml(...given) })
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    // An error loses its class on the way to another thread.
    parentPort?.postMessage({})
  }
})
