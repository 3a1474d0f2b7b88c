/** Of pictures, and of what an article may enclose: each with the endings of its files. */
const types =
  'image/jpeg jpg jpeg, image/png png, image/gif gif, image/webp webp, image/avif avif, ' +
  'audio/mpeg mp3, audio/mp4 m4a m4b, audio/aac aac, audio/ogg ogg oga opus, audio/wav wav, audio/flac flac, ' +
  'video/mp4 mp4 m4v, video/quicktime mov, video/webm webm, video/ogg ogv, application/pdf pdf'

const typeByEnding = new Map(
  types
    .split(', ')
    .map((one) => one.split(' '))
    .flatMap(([type = '', ...endings]) => endings.map((ending) => [ending, type] as const)),
)

/** By the ending of its path. */
export const fileTypeOf = (url: string): string | undefined =>
  typeByEnding.get(
    /\.([a-z\d]{3,4})$/i.exec(URL.parse(url, 'http://x')?.pathname ?? '')?.[1]?.toLowerCase() ?? '',
  )

/** Undefined for what is no picture. */
export const imageTypeOf = (url: string): string | undefined => {
  const type = fileTypeOf(url)
  return type?.startsWith('image/') ? type : undefined
}
