import { DatabaseSync } from 'node:sqlite'
import type { GalleryPicture } from './shortcodes.ts'
import { imageTypeOf } from '../file-types.ts'
import { plainText } from '../plain-text.ts'
import type { WxrItem } from './wxr.ts'

/** Of an address that an article takes. */
const longestUrl = 2_000
const longestText = 1_000
/** Of one gallery that names none. */
const maxPictures = 1_000

/** Of a pattern that stands in a story. */
const maxPattern = 1_000_000

/**
 * The attachments of an export, by id and by the post they belong to, and its synced patterns, by id. A post may name a
 * picture before the picture's own item comes, so all are gathered in a first pass. There may be a million: they lie in an
 * unnamed temporary file that ends with the process.
 */
export function openAttachments() {
  const database = new DatabaseSync('')
  database.exec(`
    create table attachments (id integer primary key, parent integer, url text, alt text, caption text) strict;
    create index attachments_parent on attachments (parent);
    create table patterns (id integer primary key, html text) strict;
    pragma journal_mode = off;
    begin`)
  const insert = database.prepare('insert or replace into attachments values (?, ?, ?, ?, ?)')
  const findById = database.prepare('select url, alt, caption from attachments where id = ?')
  const listByParent = database.prepare(
    `select url, alt, caption from attachments where parent = ? order by id limit ${maxPictures}`,
  )
  const insertPattern = database.prepare('insert or replace into patterns values (?, ?)')
  const findPattern = database.prepare('select html from patterns where id = ?')
  /** What posts show and no file has. */
  const missing = new Set<number>()

  const find = (id: number): GalleryPicture | undefined => {
    if (!Number.isSafeInteger(id) || id <= 0) return undefined
    const found = findById.get(id) as GalleryPicture | undefined
    if (!found) missing.add(id)
    return found
  }

  return {
    add({ fields, meta }: WxrItem): void {
      const id = Number(fields.id)
      if (!Number.isSafeInteger(id)) return
      if (fields.type === 'wp_block') insertPattern.run(id, (fields.content ?? '').slice(0, maxPattern))
      // Where it has no URL of its own, WordPress takes the guid, too.
      const url = fields.attachmentUrl || (fields.guid ?? '')
      if (fields.type !== 'attachment' || url === '' || url.length > longestUrl) return
      const parent = Number(fields.parent)
      const texts = [meta.get('_wp_attachment_image_alt'), fields.excerpt]
      insert.run(
        id,
        Number.isSafeInteger(parent) && parent > 0 ? parent : null,
        url,
        ...texts.map((text = '') => plainText(text).slice(0, longestText)),
      )
    },

    /** How many pictures were asked for that no file has. */
    countMissing: () => missing.size,

    find,

    findPattern: (id: number) => (findPattern.get(id) as { html: string } | undefined)?.html,

    /** In the order of `ids`, pictures alone. */
    findPictures: (ids: number[]) => ids.flatMap((id) => find(id) ?? []).filter(isPicture),

    listOfPost: (postId: number) =>
      (listByParent.all(postId) as unknown as GalleryPicture[]).filter(isPicture),

    close: () => {
      database.close()
    },
  }
}

export type Attachments = ReturnType<typeof openAttachments>

const isPicture = ({ url }: GalleryPicture): boolean => imageTypeOf(url) !== undefined
