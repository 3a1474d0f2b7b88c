import { parentPort } from 'node:worker_threads'
import { sanitizeText } from '../../domain/articles/markdown.ts'
import { DomainError } from '../../errors.ts'

parentPort?.on('message', (given: Parameters<typeof sanitizeText>) => {
  try {
    parentPort?.postMessage({ html: sanitizeText(...given) })
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    // An error loses its class on the way to another thread.
    parentPort?.postMessage({})
  }
})
