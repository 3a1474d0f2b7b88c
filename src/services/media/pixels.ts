import { writeFileSync } from 'node:fs'
import sharp from 'sharp'

/** sharp, for processes of their own: what a stranger made is read by the readers of five formats alone. */
const readers = ['JpegBuffer', 'PngBuffer', 'WebpBuffer', 'NsgifBuffer', 'HeifBuffer']
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: readers.map((name) => `VipsForeignLoad${name}`) })
sharp.cache(false)
sharp.concurrency(1)
export { sharp }

/** Answers the one question that this process is sent, and ends. */
export function answerOnce(work: (question: never) => Promise<object>): void {
  endFirst()
  process.once('message', async (question) => {
    process.send?.(await work(question as never), () => {
      process.disconnect()
    })
  })
}

/** Where memory runs out, Linux ends this process before the one that sends mail. */
function endFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Other systems choose for themselves.
  }
}
