import type { GalleryPicture } from './shortcodes.ts'
import type { WxrItem } from './wxr.ts'

const maxLength = 1_000

/**
 * The attachments of an export, by id and by the post they hang on. A post may name its picture before or after the
 * picture's own item, so they are gathered in a first pass; a few hundred bytes each are all that is kept.
 */
export class Attachments {
  readonly #byId = new Map<number, string>()
  readonly #byParent = new Map<number, number[]>()

  add({ fields, meta }: WxrItem): void {
    const id = Number(fields.id)
    const url = fields.attachmentUrl ?? ''
    if (!Number.isSafeInteger(id) || url === '') return
    const texts = [url, meta.get('_wp_attachment_image_alt') ?? '', fields.excerpt ?? '']
    // One string is a fraction of what an object with three costs; a copy, so that no slice keeps its chunk alive.
    this.#byId.set(id, Buffer.from(texts.map((text) => text.slice(0, maxLength)).join('\0')).toString())
    const parent = Number(fields.parent)
    if (parent > 0) this.#byParent.set(parent, [...(this.#byParent.get(parent) ?? []), id])
  }

  find(id: number): GalleryPicture | undefined {
    const [url, alt = '', caption = ''] = this.#byId.get(id)?.split('\0') ?? []
    return url === undefined ? undefined : { url, alt, caption }
  }

  /** In the order of `ids`, pictures alone. */
  findPictures(ids: number[]): GalleryPicture[] {
    return ids.flatMap((id) => this.find(id) ?? []).filter((one) => imageTypeOf(one.url) !== undefined)
  }

  listOfPost(postId: number): GalleryPicture[] {
    return this.findPictures(this.#byParent.get(postId) ?? [])
  }
}

const imageTypes: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
}

/** By the ending of its path; undefined for what is no picture. */
export const imageTypeOf = (url: string): string | undefined =>
  imageTypes[/\.([a-z]{3,4})$/i.exec(URL.parse(url, 'http://x')?.pathname ?? '')?.[1]?.toLowerCase() ?? '']
