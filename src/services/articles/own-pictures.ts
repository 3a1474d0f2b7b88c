import type { Picture } from '../../domain/articles/article.ts'
import { fileAt, mediaNameAt, mediaNamesIn, mediaTypes } from '../../domain/media.ts'
import { invalid } from '../../errors.ts'
import type { FileFacts } from '../../store/media/media.ts'
import type { Stores } from '../../store/stores.ts'
import type { ArticleToPut } from './put-article.ts'

/** The files of the pictures of ours that these articles have. */
export async function listOwnFiles(
  stores: Stores,
  articles: ArticleToPut[],
  publicUrl: string,
): Promise<FileFacts[]> {
  const texts = articles.flatMap(({ input }) => [
    input.picture?.url ?? '',
    input.markdown ?? input.html ?? '',
  ])
  const named = texts.flatMap((text) => mediaNamesIn(text, publicUrl))
  return named.length === 0 ? [] : stores.media.listFiles(named.map(({ sha256 }) => sha256))
}

/** A page keeps room for the pictures of ours in its text until they come. */
export const withSizes = (html: string, ownFiles: FileFacts[], publicUrl: string): string =>
  html.replace(/<img (?![^<>]* width=)([^<>]*src="([^"<>]*)"[^<>]*>)/g, (tag, rest: string, url: string) => {
    const name = mediaNameAt(url, publicUrl)
    const file = name && fileAt(name, ownFiles)
    return file ? `<img width="${file.width}" height="${file.height}" ${rest}` : tag
  })

/** Of a picture of ours, what its file is, whatever was said of it. @throws DomainError `no_media` */
export function toPicture(picture: Picture, ownFiles: FileFacts[], publicUrl: string): Picture {
  const name = mediaNameAt(picture.url, publicUrl)
  if (!name) return picture
  const file = fileAt(name, ownFiles)
  if (!file) {
    const message = `There is no picture at ${picture.url}: upload it first, or name another.`
    throw invalid('no_media', message, { field: 'picture.url' })
  }
  const { width, height, length, format } = file
  return { ...picture, type: mediaTypes[format], width, height, length }
}
