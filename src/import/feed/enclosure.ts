import type { Enclosure } from '../../domain/articles/article.ts'

/** As a feed or an export writes it. */
export interface GivenEnclosure {
  url: string
  type: string
  /** Bytes, or nothing, or something else. */
  length: string
}

export type UsableEnclosure = Omit<Enclosure, 'title'>

const typesByEnding: Record<string, string> = {
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  m4b: 'audio/mp4',
  aac: 'audio/aac',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  ogv: 'video/ogg',
  pdf: 'application/pdf',
}

const usable = /^(?:audio|video)\/[\w.+-]{1,60}$|^application\/pdf$/

/**
 * Audio, video or PDF of an article, its URL absolute; the type is told by the ending where none is said that says
 * it. Undefined for what is none of these.
 */
export function enclosureOf(given: GivenEnclosure, baseUrl: string): UsableEnclosure | undefined {
  const url = URL.parse(given.url.trim(), baseUrl)
  const [said = ''] = given.type.toLowerCase().split(';')
  const ending = /\.([a-z\d]{3,4})$/i.exec(url?.pathname ?? '')?.[1]?.toLowerCase() ?? ''
  const type = usable.test(said.trim()) ? said.trim() : typesByEnding[ending]
  if (!url || !/^https?:$/.test(url.protocol) || url.href.length > 2_000 || type === undefined)
    return undefined
  const length = Number(given.length.replace(/[,.\s]/g, ''))
  return { url: url.href, type, length: Number.isSafeInteger(length) && length > 0 ? length : 0 }
}
