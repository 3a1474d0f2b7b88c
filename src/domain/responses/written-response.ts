import type { Article, Response } from '../articles/article.ts'
import { homeOf } from '../articles/links.ts'
import type { Publication } from '../publication.ts'

/** Of what readers and other sites have written here, those that a person decides about. */
export const decidedStates = ['held', 'published', 'refused'] as const
export type DecidedState = (typeof decidedStates)[number]

/** A response as it was written here: it is public only once a person has let it through. */
export interface WrittenResponse extends Omit<Response, 'externalId' | 'publishedAt' | 'authorUrl'> {
  authorUrl: string | null
  /** Of the reader's page. */
  language: string
  state: DecidedState | 'unconfirmed'
  writtenAt: Date
  heldAt: Date | null
  decidedAt: Date | null
  /** Null for a trackback, and once it is erased. */
  address: string | null
  article: Pick<Article, 'externalId' | 'slug' | 'title' | 'language'>
}

export const longestResponse = 10_000

type Asked = Pick<Article, 'state' | 'areResponsesOpen' | 'owner' | 'slug' | 'canonicalUrl' | 'links'>

/** Where readers may respond to an article: `here`, at the address where its source has it, or nowhere. */
export function respondAt(
  article: Asked,
  { responses }: Pick<Publication, 'responses'>,
  publicUrl: string,
): string | undefined {
  if (!article.areResponsesOpen) return undefined
  if (article.owner) return article.canonicalUrl
  return responses === 'on' && isOpenHere(article, publicUrl) ? 'here' : undefined
}

/** Whether its page is here, and open. */
export const isOpenHere = (article: Asked, publicUrl: string): boolean =>
  article.state === 'published' &&
  article.areResponsesOpen &&
  !article.owner &&
  homeOf(article, publicUrl) === undefined
