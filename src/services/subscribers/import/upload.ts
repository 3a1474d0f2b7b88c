import { createHash } from 'node:crypto'
import { headBytes } from './csv-format.ts'

/** A million subscribers need 60 MB. */
export const uploadLimitBytes = 256 * 1024 * 1024

/** Looks at an upload once, while it comes in. */
export function createUploadCounter() {
  const hash = createHash('sha256')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let head = Buffer.alloc(0)
  let isUtf8 = true
  let breaks = 0
  let returns = 0
  const counter = {
    bytes: 0,
    add(chunk: Buffer): void {
      counter.bytes += chunk.length
      hash.update(chunk)
      if (head.length < headBytes) head = Buffer.concat([head, chunk]).subarray(0, headBytes)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) breaks += 1
      if (breaks === 0) for (const byte of chunk) returns += byte === 13 ? 1 : 0
      decode(chunk)
    },
    end() {
      decode()
      return { head, isUtf8, lines: Math.max(breaks, returns), sha256: hash.digest('hex') }
    },
  }
  return counter

  function decode(chunk?: Buffer) {
    if (!isUtf8) return
    try {
      if (chunk) decoder.decode(chunk, { stream: true })
      else decoder.decode()
    } catch {
      isUtf8 = false
    }
  }
}
