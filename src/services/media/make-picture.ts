import { fork } from 'node:child_process'
import type { MediaFile } from '../../store/media/media.ts'

/** Why a picture is not taken: codes of docs/errors.md. */
export type Refusal = 'media_type' | 'media_pixels' | 'media_unreadable'

/** A picture upright, without metadata, in each size that is not larger than it is; or the code of why there is none. */
export type MadePicture =
  { width: number; height: number; files: Omit<MediaFile, 'sha256'>[] } | { refusal: Refusal }

/** The largest takes some seconds; the rest is for a machine that is busy. */
const timeoutMs = 60_000

/**
 * Decodes what a stranger may have made where it can do no harm: a process without an environment, that ends.
 * @throws where there is no process to be had: it may be tried again
 */
export function makePicture(bytes: Uint8Array): Promise<MadePicture> {
  const maker = fork(new URL('./picture-process.ts', import.meta.url), {
    env: {},
    execArgv: ['--max-old-space-size=128'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  return new Promise<MadePicture>((resolve, reject) => {
    maker.on('error', reject)
    maker.on('message', (made: MadePicture) => {
      resolve(made)
    })
    maker.on('close', (code, signal) => {
      // Who ends a worker may end this with it; otherwise it has crashed or took too long, and so it would again.
      if (signal === null || signal === 'SIGTERM' || signal === 'SIGINT')
        reject(new Error(`the maker of pictures ended by ${signal ?? code}`))
      else resolve({ refusal: 'media_unreadable' })
    })
    maker.send(bytes)
  }).finally(() => maker.kill('SIGKILL'))
}
