import type { SourceMark } from '../../domain/articles/source-verdict.ts'
import type { Article } from '../../domain/articles/article.ts'
import { atField, conflict, invalid, preconditionFailed, type DomainError } from '../../errors.ts'
import { sha256 } from '../secret.ts'
import type { CheckedArticle } from './input.ts'

/** What an import knows of an article beyond what the API takes. */
export interface Origin {
  slug?: string | undefined
  /** Path of its permalink there, such as `/2012/03/14/title/`. */
  oldPath?: string | undefined
  /** What its relative URLs are relative to. */
  baseUrl: string
}

export interface ArticleToPut {
  externalId: string
  input: CheckedArticle
  origin?: Origin
  /** Where a source brings it, not the newsroom's own system. */
  source?: SourceMark
  /** Its source shows it so now; an export may be of last year. */
  isLive?: boolean
  /** It is news at its site, and becomes public here now; else an import's article was public since its date. */
  isNews?: boolean
  /** By slug, for tags that may be new. */
  tagNames?: Record<string, string>
  /** What was looked at, where somebody has: `versionOf`, or 0 where there was none. */
  version?: number | undefined
  /** Refused where the article is there already, even if it says the same. */
  mustBeNew?: boolean
}

export const outcomes = ['created', 'updated', 'unchanged'] as const
export type Outcome = (typeof outcomes)[number]

export type PutResult =
  | {
      externalId: string
      id: number
      outcome: Outcome
      /** The guid that an import brought is another article's; this one was given its own. */
      hasNewGuid?: boolean
      /** Why what a source brought was not written. */
      kept?: 'older' | 'held'
      /** What is stored is, to the letter, what the source brought. */
      isItsText?: boolean
    }
  | { externalId: string; error: DomainError }

/** Of what was sent, in whatever order. */
export const hashOfFields = (fields: object): Buffer =>
  sha256(JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))))

/** Grows with every change of what it shows; views and responses are no change. */
export const versionOf = ({ updatedAt }: Pick<Article, 'updatedAt'>): number => updatedAt.getTime()

export const versionChanged = () =>
  preconditionFailed(
    'version_changed',
    'This article has changed since you looked: read it again, and decide again.',
    atField('version', 'is not the one that is stored'),
  )

export const articleExists = () =>
  preconditionFailed('article_exists', 'This article is there already, and If-None-Match: * only creates.')

export const noOriginal = (externalId: string) => {
  const message = `There is no other article ${externalId} to translate: put it first, or leave translationOf out.`
  return invalid('no_original', message, { field: 'translationOf' })
}

export const guidTaken = ({ externalId }: ArticleToPut): PutResult => ({
  externalId,
  error: conflict(
    'guid_taken',
    'Another article has this guid. If it is the same one, put it under the id that it has here; if not, leave guid out to get a new one.',
  ),
})
