import { readFile } from 'node:fs/promises'
import { mediaNameAt, mediaSizes } from '../../domain/media.ts'
import type { Parts } from '../parts.ts'
import type { WantedPicture } from './paper.ts'

type PictureParts = Pick<Parts, 'config' | 'database' | 'fetchPicture'>

/** For all pictures of one paper that other servers keep. */
const foreignPictures = { mostMs: 10_000, mostBytes: 40 * 1024 * 1024 }

/** One after the other. What others' servers do not give within the limits of all is left out, and tried again later. */
export async function readPictures(parts: PictureParts, pictures: WantedPicture[]) {
  const { publicUrl } = parts.config
  const until = performance.now() + foreignPictures.mostMs
  let bytesLeft = foreignPictures.mostBytes
  const found = []
  for (const { url, ...picture } of pictures) {
    const own = await readOwn(parts, url, picture.width)
    const mayAsk = !url.startsWith(`${publicUrl}/`) && performance.now() < until && bytesLeft > 0
    const bytes = own ?? (mayAsk ? (await parts.fetchPicture(url).catch(() => undefined))?.body : undefined)
    if (!own) bytesLeft -= bytes?.length ?? 0
    found.push({ ...picture, bytes })
  }
  return found
}

async function readOwn(
  { config: { publicUrl }, database }: PictureParts,
  url: string,
  width: number,
): Promise<Buffer | undefined> {
  const name = mediaNameAt(url, publicUrl)
  const [, middle, largest] = mediaSizes
  if (name) return database.stores.media.findBytes({ ...name, size: width > middle ? largest : middle })
  const [, sample] = /^\/assets\/sample\/([\w-]+\.jpg)$/.exec(url.slice(publicUrl.length)) ?? []
  if (sample === undefined || !url.startsWith(publicUrl)) return undefined
  return readFile(new URL(`../../../templates/assets/sample/${sample}`, import.meta.url)).catch(
    () => undefined,
  )
}
