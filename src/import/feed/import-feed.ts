import type { Actor } from '../../domain/editor.ts'
import { invalid } from '../../errors.ts'
import { knownSections } from '../../services/articles/selections.ts'
import { createBatcher, type ImportServices } from '../batch.ts'
import { itemLanguage, readFeed, toArticle, type FeedDocument } from './feed.ts'
import { isOfWordpress, postNumberOf, withoutSharedNames } from './feed-identity.ts'
import type { FeedItem } from './feed-item.ts'
import type { ReadFeed } from './feed-reader.ts'
import { fetchPublic, findShortlink } from '../fetch-public.ts'
import { isProtected } from './password-protected.ts'
import { foreignNote, unclosedFault } from '../notes.ts'

export type FeedReport = Awaited<ReturnType<typeof importFeed>>

interface Options {
  url: string
  actor: Actor
  language: string | undefined
  languages: string[]
  zone: string
  /** Tests bring their own. */
  fetch?: (url: string) => Promise<FeedDocument>
  findShortlink?: (url: string) => Promise<string | undefined>
}

/**
 * Imports what a feed holds now. Items keep their guid; a second import changes only what was edited.
 * @throws DomainError of `fetchPublic`; `not_a_feed`, `doctype_refused`, `xml_too_deep`
 */
export async function importFeed(services: ImportServices, options: Options) {
  const document = await (options.fetch ?? fetchPublic)(options.url)
  const { url } = document
  const found = await readFeed(document)
  if (!found) {
    throw invalid('not_a_feed', 'What the URL answers is neither RSS nor Atom.')
  }
  const { feed, repairs, marks, isComplete, pending } = found
  const batcher = createBatcher(services, options.actor, url)
  const readAt = new Date()
  const sections = knownSections(await services.selections.list('section'))
  /** Posts that need a password, whose form a feed shows in place of their text; items in other languages than ours. */
  const leftOut = { password: 0, language: 0 }
  for (const item of withoutSharedNames(feed)) {
    const fault = unclosedFault([item.title, item.html, item.summary])
    const language = itemLanguage(item, feed, options)
    if (fault !== undefined) batcher.addUnreadable(nameOf(item), fault)
    else if (isProtected(item, feed)) leftOut.password += 1
    else if (language === undefined) {
      leftOut.language += 1
      batcher.note(nameOf(item), foreignNote)
    } else {
      const postNumber = await askForNumber(item, feed, options.findShortlink ?? findShortlink)
      const given = { ...options, language, sections, url, readAt, postNumber }
      await batcher.add(toArticle(item, feed, given), nameOf(item))
    }
  }
  if (pending) batcher.addUnreadable(nameOf(pending), truncated)
  else if (!isComplete) batcher.refuse(undefined, truncated)
  await batcher.end(marks, leftOut.password + leftOut.language)
  return { ...batcher.report, leftOut, repairs }
}

/** WordPress tells a post's number where it is not in its guid: its page names a short link. */
export async function askForNumber(
  item: FeedItem,
  feed: ReadFeed,
  find: (url: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const { guid, link } = item
  if (!isOfWordpress(item, feed) || !link || postNumberOf(guid) !== undefined) return undefined
  const page = URL.parse(link.url, feed.link)
  return page ? postNumberOf((await find(page.href)) ?? '') : undefined
}

const truncated =
  'The feed ends in the middle: what came before is imported; import it again once it is whole'

const nameOf = ({ guid, title, link, line }: FeedItem) => ({
  id: guid,
  title: title || (link?.url ?? ''),
  line,
})
