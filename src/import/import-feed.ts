import type { Actor } from '../domain/editor.ts'
import { DomainError } from '../errors.ts'
import { createBatcher, type ImportReport, type ImportServices } from './batch.ts'
import { readFeed, toArticle } from './feed.ts'
import { fetchPublic } from './fetch.ts'

interface Options {
  url: string
  actor: Actor
  language: string | undefined
  languages: string[]
  /** Tests bring their own. */
  fetch?: (url: string) => Promise<{ url: string; body: Buffer }>
}

/**
 * Imports what a feed holds now. Items keep their guid; a second import changes only what was edited.
 * @throws DomainError of `fetchPublic`; `not_a_feed`, `doctype_refused`
 */
export async function importFeed(services: ImportServices, options: Options): Promise<ImportReport> {
  const { url, body } = await (options.fetch ?? fetchPublic)(options.url)
  const feed = await readFeed(body)
  if (!feed) {
    throw new DomainError('invalid', 'not_a_feed', 'What the URL answers is neither RSS nor Atom.')
  }
  const batcher = createBatcher(services, options.actor, url)
  for (const item of feed.items) {
    const name = { id: item.guid, title: item.title, line: 0 }
    await batcher.add(toArticle(item, feed, { ...options, url }), name)
  }
  await batcher.end()
  return batcher.report
}
