import type { ArticleState } from './article.ts'
import { strengthOf } from './identity.ts'

/** What a source knows of an article that it brings: who it is there, and how new it is. */
export interface SourceMark {
  /** How much its text is worth: an export and REST hold what was written, RSS what was rendered. */
  rank: 1 | 2 | 3
  /** Undefined where the source does not tell: RSS. */
  modifiedAt: Date | undefined
  /** When it was read: what a live feed shows is true then. */
  readAt: Date
  /** Ids that earlier versions gave it. */
  formerIds: string[]
  /** The host and path of the site's home. */
  site: string
  /** The address of its page there. */
  link: string | undefined
  /** Only a summary of its text is there. */
  isSummary: boolean
  /** It has neither guid nor link: a former id says nothing unless the title is the same. */
  isNameless: boolean
}

/** What decides whether a source may write. */
export interface KnownArticle {
  externalId: string
  state: ArticleState
  remoteModifiedAt: Date | undefined
  remoteRank: number | undefined
  heldAt: Date | undefined
}

/**
 * - `write`: what is there is older, or of less worth
 * - `compare`: only the words can tell whether it is another text
 * - `same`, `older`, `held`: its text stays
 */
export type SourceVerdict = 'write' | 'compare' | 'same' | 'older' | 'held'

/** Who wins: the later change, of equal ones the better rendition. What the desk or the API has written stays. */
export function judgeSource(source: SourceMark, known: KnownArticle, wantsState: string): SourceVerdict {
  if (known.heldAt || isOwn(known)) return 'held'
  const rank = rankOf(known)
  // An equal text is still to be published.
  const isAwaited = wantsState === 'published' && (known.state === 'draft' || known.state === 'scheduled')
  if (source.modifiedAt && known.remoteModifiedAt) {
    const later = source.modifiedAt.getTime() - known.remoteModifiedAt.getTime()
    if (later !== 0) return later > 0 ? 'write' : 'older'
    const isAuthority = rank === 3 && known.state === wantsState
    const isSame = source.rank < rank || (source.rank === rank && isAuthority)
    return isSame && !isAwaited ? 'same' : 'write'
  }
  return source.rank < rank && !isAwaited ? 'compare' : 'write'
}

/** Written by the newsroom's own system, under an id of its own. */
const isOwn = ({ externalId, remoteRank }: KnownArticle): boolean =>
  remoteRank === undefined && strengthOf(externalId) === 3

/** Of what stored its text; imports by earlier versions noted none. */
export const rankOf = ({ remoteRank, externalId }: Pick<KnownArticle, 'remoteRank' | 'externalId'>): number =>
  remoteRank ?? (externalId.startsWith('wp:') ? 3 : 1)
