import { open } from 'node:fs/promises'

const chunkLength = 65_536

/**
 * The bytes of a file. Each chunk lies where the one before lay: a stream's own chunks pile up by tens of megabytes
 * until they are collected.
 */
export async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file)
  try {
    const buffer = Buffer.allocUnsafe(chunkLength)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkLength, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}
