import { parentPort } from 'node:worker_threads'
import { readInboundText, type InboundEnvelope } from './inbound.ts'

/**
 * Reads one mail after another, away from whoever sends: what a stranger wrote may take any time. It has neither a key
 * nor a connection, so that nothing is lost when it is stopped in the middle.
 */
parentPort?.on('message', ({ raw, envelope }: { raw: Uint8Array; envelope: InboundEnvelope }) => {
  parentPort?.postMessage(readInboundText(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), envelope))
})
