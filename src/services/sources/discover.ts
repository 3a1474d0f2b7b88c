import type { SourceFailure, SourceKind } from '../../domain/sources/source.ts'
import { atField, invalid } from '../../errors.ts'
import type { FoundSource } from '../../store/sources/sources.ts'
import type { Parts } from '../parts.ts'
import { readingContext } from './look.ts'
import { SiteFault, type ReadItem } from './site.ts'

const previewed = 5

/** What is at an address, and its newest articles as they would be here. */
export interface Discovery {
  found: FoundSource
  /** Ways to follow it. */
  kinds: SourceKind[]
  items: ReadItem[]
}

type DiscoveryParts = Pick<Parts, 'database' | 'sites' | 'now'>

/** @throws DomainError `source_unreadable`, `source_unknown`, `source_empty` */
export async function discover(
  { database, sites, now }: DiscoveryParts,
  address: string,
  wish: { kind?: SourceKind | undefined; language?: string | undefined } = {},
): Promise<Discovery> {
  if (!isOfTheWeb(address)) throw notOfTheWeb()
  try {
    const offers = await sites.discover(address, wish.kind)
    const found = wish.kind ? offers.find(({ kind }) => kind === wish.kind) : offers[0]
    if (!found) throw unknown()
    const context = await readingContext(database.stores, now())
    const site = { ...found, language: wish.language, since: undefined }
    if (found.kind === 'feed') {
      const findIds = () => Promise.resolve(new Map<string, string>())
      const answer = await sites.feed.read(site, undefined, { ...context, findIds })
      // A mistyped address of a feed is a feed without anything at many sites.
      if (!answer || answer.items.length === 0) throw empty()
      return { found, kinds: offers.map(({ kind }) => kind), items: answer.items.slice(0, previewed) }
    }
    const { newest } = await sites.wordpress.listNewest(site, 'date')
    const ids = newest.slice(0, previewed).map(({ remoteId }) => remoteId)
    const items = ids.length === 0 ? [] : await sites.wordpress.read(site, ids, context)
    return { found, kinds: offers.map(({ kind }) => kind), items }
  } catch (error) {
    if (error instanceof SiteFault) throw unreadable(error)
    throw error
  }
}

/** People leave the scheme out. */
const isOfTheWeb = (address: string): boolean => {
  const url = URL.parse(address.includes('://') ? address : `https://${address}`)
  return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === ''
}

const sentences: Record<SourceFailure, string> = {
  unreachable: 'No server answers there; check the address.',
  refused: 'The server refuses us; ask whoever runs it to let programs read the site.',
  busy: 'The server is busy; try again in some minutes.',
  broken: 'The server has an error of its own; try again once the site works.',
  unreadable: 'What answers is neither a site nor a feed that can be read; check the address.',
  closed: 'The site has closed what programs read; give the address of its feed.',
  gone: 'There is nothing at this address; check it.',
  address:
    'It leads to an address that is not public; an operator lets sources reach private hosts by SOURCE_HOSTS.',
  failed: 'It could not be read; try again.',
}

const unreadable = (fault: SiteFault) =>
  invalid('source_unreadable', sentences[fault.failure], { cause: fault, field: 'address' })

const notOfTheWeb = () =>
  invalid(
    'source_unreadable',
    'It is no address of http or https, or it carries a user or a password; leave that out.',
    { field: 'address' },
  )

const unknown = () =>
  invalid(
    'source_unknown',
    'Neither a WordPress nor a feed was found there; give the address of the feed itself.',
    atField('address', 'must be that of a WordPress, or of a feed'),
  )

const empty = () =>
  invalid(
    'source_empty',
    'The feed at this address holds nothing: it may be mistyped; give one that has articles in it.',
    atField('address', 'must be that of a feed with articles in it'),
  )
