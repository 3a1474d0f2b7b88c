import type { SelectionKind } from '../../domain/articles/article.ts'
import { slugOf } from '../../domain/articles/slug.ts'
import type { ReadingContext } from '../../services/sources/site.ts'
import type { ImportedPost } from '../batch.ts'
import { plainText } from '../plain-text.ts'
import type { WxrItem } from './wxr.ts'

/** `tag`: of WXR 1.0. */
const kindOfDomain: Record<string, 'section' | 'tag'> = { category: 'section', post_tag: 'tag', tag: 'tag' }

/** Categories are sections; those that are here keep their slug. */
export function sectionsAndTags(
  terms: WxrItem['terms'],
  sections: ReadingContext['sections'],
): ImportedPost['selections'] {
  return terms.flatMap(({ domain, nicename, name }) => {
    const kind = kindOfDomain[domain]
    const label = plainText(name)
    const own = slugOf(decodeSlug(nicename)) || slugOf(label)
    const slug = kind === 'section' ? (sections.get(own) ?? sections.get(slugOf(label)) ?? own) : own
    return kind && slug !== '' ? [{ kind, slug, names: { und: label || slug } }] : []
  })
}

export const slugsOf = (terms: ImportedPost['selections'], kind: SelectionKind): string[] => [
  ...new Set(terms.filter((term) => term.kind === kind).map((term) => term.slug)),
]

/** Slugs of other scripts are percent-encoded in an export, and long ones cut, maybe within a character. */
export function decodeSlug(text: string): string {
  for (const cut of [/$/, /%[^%]{0,2}$/, /(?:%[^%]{0,2}){2}$/, /(?:%[^%]{0,2}){3}$/]) {
    try {
      return decodeURIComponent(text.replace(cut, ''))
    } catch {
      continue
    }
  }
  return text
}
