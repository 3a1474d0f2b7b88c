import type { Picture } from './articles/article.ts'

/** What is taken: bytes of the file, and pixels of the picture. */
export const mostPictureBytes = 15 * 1024 * 1024
export const mostPixels = 50_000_000

/** Pixels across, by which the files of a picture are called; each has the picture's own width where that is less. */
export const mediaSizes = [480, 960, 1_600] as const
export const mediaTypes = { webp: 'image/webp', jpg: 'image/jpeg', png: 'image/png' } as const

type Format = keyof typeof mediaTypes

/** `/media/{sha256}-{size}.{format}`. */
export interface MediaName {
  /** Of what was uploaded, in hex. */
  sha256: string
  size: number
  format: Format
}

const signatures: [type: string, beginning: RegExp][] = [
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/png', /^\x89PNG\r\n/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['image/avif', /^[^]{4}ftypavi[fs]/],
]

/** By the first bytes, whatever name and sender say; undefined for what is no picture that is taken. */
export function typeOfPicture(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 16)
  return signatures.find(([, beginning]) => beginning.test(head))?.[0]
}

const pattern = new RegExp(
  `^/media/([0-9a-f]{64})-(${mediaSizes.join('|')})\\.(${Object.keys(mediaTypes).join('|')})$`,
)

export const mediaPath = ({ sha256, size, format }: MediaName): string => `/media/${sha256}-${size}.${format}`

/** Undefined for what is no picture of ours. @param path without the origin */
export function mediaNameOf(path: string): MediaName | undefined {
  const [, sha256, size, format] = pattern.exec(path) ?? []
  return sha256 === undefined ? undefined : { sha256, size: Number(size), format: format as Format }
}

/** The same of an absolute address. */
export const mediaNameAt = (url: string, publicUrl: string): MediaName | undefined =>
  url.startsWith(`${publicUrl}/`) ? mediaNameOf(url.slice(publicUrl.length)) : undefined

/** All of ours that a text names. */
export const mediaNamesIn = (text: string, publicUrl: string): MediaName[] =>
  (text.match(/https?:\/\/[^\s"'<>()]{1,300}\/media\/[\da-f]{64}-\d+\.\w+/g) ?? []).flatMap(
    (url) => mediaNameAt(url, publicUrl) ?? [],
  )

/** Of the files of a picture, the one that stands at an address: of the size asked for or, where it is smaller, its own. */
export const fileAt = <File extends MediaName>(name: MediaName, files: File[]): File | undefined =>
  files
    .filter(({ sha256, format }) => sha256 === name.sha256 && format === name.format)
    .findLast(({ size }) => size <= name.size)

/** The address of a smaller file of the same picture; that of anybody else's picture stays. */
export function atSize(url: string, publicUrl: string, size: (typeof mediaSizes)[number]): string {
  const name = mediaNameAt(url, publicUrl)
  return name && name.size > size ? publicUrl + mediaPath({ ...name, size }) : url
}

/** For `srcset`; empty for a picture that is not ours. */
export function sourcesOf({ url, width }: Picture, publicUrl: string): string {
  const name = mediaNameAt(url, publicUrl)
  if (!name || width === undefined) return ''
  const sizes = mediaSizes.filter((size) => size <= name.size)
  return sizes
    .filter((_size, index) => index === 0 || (sizes[index - 1] ?? 0) < width)
    .map((size) => `${mediaPath({ ...name, size, format: 'webp' })} ${Math.min(size, width)}w`)
    .join(', ')
}
