import type { Actor } from '../domain/editor.ts'
import { DomainError } from '../errors.ts'
import { createBatcher, type ImportReport, type ImportServices } from './batch.ts'
import { readFeed, toArticle, type FeedDocument } from './feed.ts'
import type { FeedItem } from './feed-reader.ts'
import { fetchPublic } from './fetch.ts'
import type { Repairs } from './xml-repair.ts'

export interface FeedReport extends ImportReport {
  repairs: Repairs
}

interface Options {
  url: string
  actor: Actor
  language: string | undefined
  languages: string[]
  zone: string
  /** Tests bring their own. */
  fetch?: (url: string) => Promise<FeedDocument>
}

/**
 * Imports what a feed holds now. Items keep their guid; a second import changes only what was edited.
 * @throws DomainError of `fetchPublic`; `not_a_feed`, `doctype_refused`, `xml_too_deep`
 */
export async function importFeed(services: ImportServices, options: Options): Promise<FeedReport> {
  const document = await (options.fetch ?? fetchPublic)(options.url)
  const { url } = document
  const found = await readFeed(document)
  if (!found) {
    throw new DomainError('invalid', 'not_a_feed', 'What the URL answers is neither RSS nor Atom.')
  }
  const { feed, repairs, marks, isComplete, pending } = found
  const batcher = createBatcher(services, options.actor, url)
  for (const item of feed.items) await batcher.add(toArticle(item, feed, { ...options, url }), nameOf(item))
  if (pending) batcher.refusePost(nameOf(pending), truncated)
  else if (!isComplete) batcher.refuse(undefined, truncated)
  await batcher.end(marks)
  return { ...batcher.report, repairs }
}

const truncated = 'The feed ends in the middle; what came before is imported'

const nameOf = ({ guid, title, link, line }: FeedItem) => ({
  id: guid,
  title: title || (link?.url ?? ''),
  line,
})
