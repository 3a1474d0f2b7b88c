import { askProcess, UnansweredError } from '../../isolation.ts'
import type { MediaFile } from '../../store/media/media.ts'

/** Why a picture is not taken: codes of docs/errors.md. */
export type Refusal = 'media_type' | 'media_pixels' | 'media_unreadable'

/** A picture upright, without metadata, in each size that is not larger than it is; or the code of why there is none. */
export type MadePicture =
  { width: number; height: number; files: Omit<MediaFile, 'sha256'>[] } | { refusal: Refusal }

/** The largest takes some seconds; the rest is for a machine that is busy. */
const limits = { timeoutMs: 60_000, memoryMb: 128 }

/**
 * Decodes what a stranger may have made where it can do no harm: picture-process.ts makes the files.
 * @throws where there is no process to be had: it may be tried again
 */
export const makePicture = (bytes: Uint8Array): Promise<MadePicture> =>
  askProcess<MadePicture>(new URL('./picture-process.ts', import.meta.url), bytes, limits).catch(
    (error: unknown) => {
      if (error instanceof UnansweredError) return { refusal: 'media_unreadable' }
      throw error
    },
  )
