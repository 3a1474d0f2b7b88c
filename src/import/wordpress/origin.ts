import type { SourceMark } from '../../domain/articles/source-verdict.ts'
import type { Origin } from '../../services/articles/put-article.ts'
import { decodeSlug } from './terms.ts'

/** A post of WordPress as it was written, wherever it comes from. */
export const writtenMark = (
  known: Pick<SourceMark, 'modifiedAt' | 'readAt' | 'site' | 'link'>,
): SourceMark => ({ ...known, rank: 3, formerIds: [], isSummary: false, isNameless: false })

/** @param baseUrl where the post has no address of its own */
export function originOf(name: string, link: URL | null, baseUrl: string): Origin {
  const slug = decodeSlug(name)
  // A plain permalink (`/?p=12`) is no path.
  const isPath = link && link.pathname !== '/' && link.search === ''
  return {
    ...(slug !== '' && { slug }),
    ...(isPath && { oldPath: link.pathname }),
    baseUrl: link?.href ?? baseUrl,
  }
}
