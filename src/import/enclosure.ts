import { enclosureType, type Enclosure } from '../domain/articles/article.ts'
import { fileTypeOf } from './file-types.ts'

/** As a feed or an export writes it. */
export interface GivenEnclosure {
  url: string
  type: string
  /** Bytes, or nothing, or something else. */
  length: string
}

export type UsableEnclosure = Omit<Enclosure, 'title'>

/**
 * Audio, video or PDF of an article, its URL absolute; the type is told by the ending where none is said that says
 * it. Undefined for what is none of these.
 */
export function enclosureOf(given: GivenEnclosure, baseUrl: string): UsableEnclosure | undefined {
  const url = URL.parse(given.url.trim(), baseUrl)
  const [said = ''] = given.type.toLowerCase().split(';')
  const type = [said.trim(), fileTypeOf(url?.href ?? '') ?? ''].find((one) => enclosureType.test(one))
  if (!url || !/^https?:$/.test(url.protocol) || url.href.length > 2_000 || type === undefined)
    return undefined
  const length = Number(given.length.replace(/[,.\s]/g, ''))
  return { url: url.href, type, length: Number.isSafeInteger(length) && length > 0 ? length : 0 }
}
