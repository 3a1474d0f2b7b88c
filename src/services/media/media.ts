import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { atSize, mediaPath, mostPictureBytes, typeOfPicture, type MediaName } from '../../domain/media.ts'
import type { Actor } from '../../domain/editor.ts'
import { invalid, notFound, unavailable } from '../../errors.ts'
import type { FileFacts, Media } from '../../store/media/media.ts'
import type { Parts } from '../parts.ts'
import { makePicture, type Refusal } from './make-picture.ts'

const refusals: Record<Refusal, string> = {
  media_type: 'This is no picture that is taken here: send a JPEG, PNG, WebP, GIF or AVIF.',
  media_pixels: 'The picture has more than 50 megapixels: send a smaller one.',
  media_unreadable: 'The picture is broken or not whole: save it anew in a program for pictures.',
}
const refused = (code: Refusal) => invalid(code, refusals[code])

/** A worker makes a picture in a second; one that is busy, or has several, takes longer. */
const looks = { most: 300, pauseMs: 100 }

export type MediaService = ReturnType<typeof createMediaService>

/** Pictures that the newsroom has uploaded. */
export function createMediaService(
  parts: Pick<Parts, 'config' | 'database' | 'readers' | 'doorbell' | 'now'>,
) {
  const { config, database, readers, doorbell, now } = parts
  const { media, workers } = database.stores

  /** @throws DomainError `media_waiting` */
  const waitFor = async (sha256: string): Promise<Media> => {
    for (let look = 0; look < looks.most; look++) {
      const found = await media.get(sha256)
      if (found.state !== 'waiting') return found
      if (look === 0) await doorbell.ring('make-pictures', {})
      if (look === 0 && (await workers.countAlive()) === 0) break
      await sleep(looks.pauseMs)
    }
    const sentence = 'No worker has had time for the picture yet: send it again in a minute.'
    throw unavailable('media_waiting', sentence, { retryAfterSeconds: 60 })
  }

  const toShape = ({ sha256, type, width, height }: Media, files: FileFacts[]) => {
    const main = files.findLast(({ format }) => format !== 'webp')
    if (!main || !width || !height) throw new Error('a picture that is made has files')
    const urlOf = (file: MediaName) => config.publicUrl + mediaPath(file)
    const url = urlOf(main)
    const textUrl = atSize(url, config.publicUrl, 960)
    return { sha256, width, height, type, url, textUrl, urls: files.map(urlOf) }
  }

  return {
    /**
     * Keeps a picture, once a worker has made its sizes; the same bytes again are the same picture.
     * @param bytes of the file, or enough of them to tell that it is too large
     * @throws DomainError `too_large`, `media_type`, `media_pixels`, `media_unreadable`, `media_waiting`
     */
    async takePicture(bytes: Buffer, actor: Actor) {
      if (bytes.length > mostPictureBytes)
        throw invalid('too_large', 'The picture has more than 15 MB: send a smaller one.')
      const type = typeOfPicture(bytes)
      if (type === undefined) throw refused('media_type')
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const isNew = await database.transaction(async (stores) => {
        const isNew = await stores.media.put({ sha256, type, original: bytes }, now())
        if (isNew) await stores.audit.insert(actor, 'media.added', `media:${sha256}`)
        return isNew
      })
      const made = await waitFor(sha256)
      if (made.refusal) throw refused(made.refusal as Refusal)
      return { isNew, picture: toShape(made, await media.listFiles([sha256])) }
    },

    /** Makes the sizes of all that wait; what cannot be read is refused. */
    async makeWaiting(): Promise<void> {
      const makeNext = () =>
        database.transaction(async (stores) => {
          const next = await stores.media.claim()
          if (!next) return false
          const made = await makePicture(next.original)
          if ('refusal' in made) await stores.media.markRefused(next.sha256, made.refusal)
          else await stores.media.markMade(next.sha256, made)
          return true
        })
      while (await makeNext());
    },

    /** What stands at an address. @throws DomainError `no_media` */
    async getBytes(name: MediaName | undefined): Promise<Buffer> {
      const bytes = name && (await readers.stores.media.findBytes(name))
      if (!bytes) throw notFound('no_media', 'There is no picture at this address.')
      return bytes
    },

    /** Bytes of all pictures. */
    weigh: (): Promise<number> => media.weigh(),
  }
}
