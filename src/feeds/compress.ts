import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const toGzip = promisify(gzip)
const toBrotli = promisify(brotliCompress)

/**
 * The bytes as they are sent, made once for all readers. The highest levels take many times as long for some
 * per cent, and a story waits for them.
 */
export async function compress(body: Buffer): Promise<{ gzip: Buffer; br: Buffer }> {
  const [gzipped, br] = await Promise.all([
    toGzip(body, { level: 7 }),
    toBrotli(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  ])
  return { gzip: gzipped, br }
}
