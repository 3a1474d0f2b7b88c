import { sql } from 'kysely'
import type { MediaName } from '../../domain/media.ts'
import { findRow, findValue, getValue, hasRow, listRows, rowsOf, run, type Executor } from '../executor.ts'
import { fill, type Filled } from '../row.ts'

/** A picture that was uploaded; its width and height are known once it is made. */
export type Media = Filled<{
  sha256: string
  state: 'waiting' | 'made' | 'refused'
  refusal: string | null
  type: string
  width: number | null
  height: number | null
}>

/** One of the sizes of a picture. */
export interface MediaFile extends MediaName {
  width: number
  height: number
  bytes: Uint8Array
}

/** What is told of it. */
export type FileFacts = Omit<MediaFile, 'bytes'> & { length: number }

/** Every text in which a picture of ours may be in use. */
const uses = sql`
  select html as words from articles where html like '%/media/%'
  union all select picture->>'url' from articles where picture->>'url' like '%/media/%'
  union all select body from article_bodies where body like '%/media/%'
  union all select intro from digests where intro like '%/media/%'
  union all select frozen::text from digests where frozen::text like '%/media/%'
  union all select welcome from newsletters where welcome like '%/media/%'
  union all select look::text from publication`

const isUsed = sql`encode(sha256, 'hex') in (
  select found[1] from (${uses}) used, regexp_matches(words, '/media/([0-9a-f]{64})-', 'g') found)`

const bytesOf = (sha256: string): Buffer => Buffer.from(sha256, 'hex')

export function mediaStore(db: Executor) {
  return {
    async get(sha256: string): Promise<Media> {
      const row = await findRow<Media>(db)`
        select encode(sha256, 'hex') as sha256, state, refusal, type, width, height from media
        where sha256 = ${bytesOf(sha256)}`
      if (!row) throw new Error('a picture was deleted within a minute')
      return fill(row)
    },

    /** Waits for a worker, unless it is known; what was refused is looked at again. Whether it is new. */
    async put(
      { sha256, type, original }: { sha256: string; type: string; original: Buffer },
      now: Date,
    ): Promise<boolean> {
      const key = bytesOf(sha256)
      const isNew = await hasRow(db)`
        insert into media (sha256, type, original, used_at) values (${key}, ${type}, ${original}, ${now})
        on conflict do nothing returning true`
      if (isNew) return true
      await run(db)`
        update media set used_at = ${now}, refusal = null,
          original = case state when 'refused' then ${original}::bytea end,
          state = case state when 'refused' then 'waiting' else state end
        where sha256 = ${key} and state <> 'waiting'`
      return false
    },

    /** The next that waits; no other worker has it until the transaction ends. */
    claim: () => findRow<{ sha256: string; original: Buffer }>(db)`
      select encode(sha256, 'hex') as sha256, original from media where state = 'waiting'
      order by created_at limit 1 for no key update skip locked`,

    async markMade(
      sha256: string,
      made: { width: number; height: number; files: Omit<MediaFile, 'sha256'>[] },
    ): Promise<void> {
      const length = made.files.reduce((sum, { bytes }) => sum + bytes.length, 0)
      await db
        .insertInto('mediaFiles')
        .values(
          made.files.map((file) => ({ ...file, bytes: Buffer.from(file.bytes), sha256: bytesOf(sha256) })),
        )
        .execute()
      await rowsOf(db, 'media', { sha256: bytesOf(sha256) }).update({
        state: 'made',
        original: null,
        width: made.width,
        height: made.height,
        length,
      })
    },

    markRefused: (sha256: string, refusal: string) =>
      rowsOf(db, 'media', { sha256: bytesOf(sha256) }).update({ state: 'refused', original: null, refusal }),

    /** The files of these pictures, the smallest first. */
    listFiles: (sha256s: string[]): Promise<FileFacts[]> => listRows<FileFacts>(db)`
      select encode(sha256, 'hex') as sha256, size, format, width, height, length(bytes) as length from media_files
      where sha256 = any(${sha256s.map(bytesOf)}) order by size, format desc`,

    /** Of this size or, where the picture is smaller, of its own. */
    findBytes: ({ sha256, size, format }: MediaName) => findValue<Buffer>(db)`
      select bytes from media_files where sha256 = ${bytesOf(sha256)} and format = ${format} and size <= ${size}
      order by size desc limit 1`,

    weigh: () => getValue<number>(db)`select coalesce(sum(length), 0)::bigint as bytes from media`,

    /** Of what was last sent, or found in use, before this, what is in use no more goes. */
    async sweep(before: Date, now: Date): Promise<void> {
      if (!(await hasRow(db)`select from media where used_at < ${before} limit 1`)) return
      await run(db)`update media set used_at = ${now} where used_at < ${before} and ${isUsed}`
      await run(db)`delete from media where used_at < ${before}`
    },
  }
}
