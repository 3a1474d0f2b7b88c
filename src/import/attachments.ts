import { DatabaseSync } from 'node:sqlite'
import type { GalleryPicture } from './shortcodes.ts'
import type { WxrItem } from './wxr.ts'

const maxLength = 1_000
/** Of one gallery that names none. */
const maxPictures = 1_000

/**
 * The attachments of an export, by id and by the post they hang on. A post may name its picture before or after the
 * picture's own item, so they are gathered in a first pass. An export may hold a million: they lie in a file without
 * a name in the folder for temporary files, gone with the process.
 */
export class Attachments {
  readonly #database = new DatabaseSync('')
  readonly #insert
  readonly #findById
  readonly #listByParent

  constructor() {
    this.#database.exec(`
      create table attachments (id integer primary key, parent integer, url text, alt text, caption text) strict;
      create index attachments_parent on attachments (parent);
      pragma journal_mode = off;
      begin`)
    this.#insert = this.#database.prepare('insert or replace into attachments values (?, ?, ?, ?, ?)')
    this.#findById = this.#database.prepare('select url, alt, caption from attachments where id = ?')
    this.#listByParent = this.#database.prepare(
      `select url, alt, caption from attachments where parent = ? order by id limit ${maxPictures}`,
    )
  }

  add({ fields, meta }: WxrItem): void {
    const id = Number(fields.id)
    const url = fields.attachmentUrl ?? ''
    if (!Number.isSafeInteger(id) || url === '') return
    const parent = Number(fields.parent)
    const texts = [url, meta.get('_wp_attachment_image_alt') ?? '', fields.excerpt ?? '']
    this.#insert.run(
      id,
      Number.isSafeInteger(parent) && parent > 0 ? parent : null,
      ...texts.map((text) => text.slice(0, maxLength)),
    )
  }

  find(id: number): GalleryPicture | undefined {
    return Number.isSafeInteger(id) ? (this.#findById.get(id) as GalleryPicture | undefined) : undefined
  }

  /** In the order of `ids`, pictures alone. */
  findPictures(ids: number[]): GalleryPicture[] {
    return ids.flatMap((id) => this.find(id) ?? []).filter(isPicture)
  }

  listOfPost(postId: number): GalleryPicture[] {
    return (this.#listByParent.all(postId) as unknown as GalleryPicture[]).filter(isPicture)
  }

  close(): void {
    this.#database.close()
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

const isPicture = ({ url }: GalleryPicture): boolean => imageTypeOf(url) !== undefined
