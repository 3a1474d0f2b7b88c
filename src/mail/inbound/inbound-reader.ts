import { openThread, UnansweredError } from '../../isolation.ts'
import type { InboundEnvelope, InboundText } from './inbound.ts'

export type InboundReader = ReturnType<typeof openInboundReader>

/** Reads what comes in, in a thread: the mail that ends it is lost, and no other. */
export function openInboundReader({
  script = new URL('./inbound-thread.ts', import.meta.url),
  // Reading takes milliseconds; the rest is for a machine that is busy.
  timeoutMs = 10_000,
} = {}) {
  const thread = openThread<object, InboundText>(script, timeoutMs)
  return {
    /**
     * What takes too long or too much memory is `unreadable`.
     * @throws where there is no thread to read with: the mail may be read later
     */
    read: (raw: Buffer, envelope: InboundEnvelope): Promise<InboundText> =>
      thread.ask({ raw, envelope }).catch((error: unknown) => {
        if (error instanceof UnansweredError) return { kind: 'ignored', why: 'unreadable' }
        throw error
      }),
    close: () => thread.close(),
  }
}
