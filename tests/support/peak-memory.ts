const hook = `
import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => console.error('held at most %d kB', process.resourceUsage().maxRSS))`

/** As NODE_OPTIONS: a process then says on stderr how much memory it held at most, its threads included. */
export const sayingPeakMemory = `--import=data:text/javascript,${encodeURIComponent(hook)}`

/** In MB, of 1,000,000 bytes. */
export function peakMemoryOf(stderr: string): number {
  const [, kibibytes] = /^held at most (\d+) kB$/m.exec(stderr) ?? []
  if (kibibytes === undefined) throw new Error('the process has not said how much memory it held')
  return (Number(kibibytes) * 1_024) / 1_000_000
}
