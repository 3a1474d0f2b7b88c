import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { LRUCache } from 'lru-cache'
import { throttled, unavailable } from '../../errors.ts'
import { askProcess, UnansweredError } from '../../isolation.ts'
import type { WantedPicture } from './paper.ts'

export interface SettingTask {
  template: string
  paper: object
  pictures: (Omit<WantedPicture, 'url'> & { bytes: Uint8Array | undefined })[]
}

/** `plainReason`: why it is tagged, but no PDF/UA-1. */
export type SetPaper = { bytes: Uint8Array; isWhole: boolean; plainReason?: string } | { fault: string }

const script = new URL('./typst-process.ts', import.meta.url)
export const template = readFileSync(
  new URL('../../../templates/editions/paper.typ', import.meta.url),
  'utf8',
)

/** Of the compiler, an optional dependency; undefined where it is not installed. */
export const compilerVersion = ((): string | undefined => {
  try {
    const { version } = createRequire(import.meta.url)(
      '@myriaddreamin/typst-ts-node-compiler/package.json',
    ) as { version: string }
    return version
  } catch {
    return undefined
  }
})()

/** The same for the same bytes. */
export const hashOf = (paper: object): string =>
  hash('sha256', JSON.stringify([compilerVersion, template, paper]), 'base64url')

/** Sixty thousand words take some seconds; the rest is for a machine that is busy. */
const limits = { timeoutMs: 30_000, memoryMb: 256 }
const mostWaiting = 8
const restMs = 10 * 60_000

const known = new LRUCache<string, SetPaper, () => Promise<SettingTask>>({
  maxSize: 32 * 1024 ** 2,
  sizeCalculation: (set) => ('bytes' in set ? set.bytes.length : 1),
  async fetchMethod(_hash, _stale, { context, options }) {
    const set = await inTurn(async () => askForPaper(await context()))
    // What could not be made, or misses a picture, is tried again.
    if (!('bytes' in set && set.isWhole)) options.ttl = restMs
    return set
  },
})

let last: Promise<unknown> = Promise.resolve()
let waiting = 0

/** One at a time: a machine has other work. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= mostWaiting)
    throw throttled('pdf_busy', 'Several PDFs are being made: ask again in some seconds.', {
      retryAfterSeconds: 10,
    })
  waiting++
  const next = last.then(work)
  last = next.catch(() => undefined)
  return next.finally(() => waiting--)
}

export const askForPaper = (task: SettingTask, timeoutMs = limits.timeoutMs): Promise<SetPaper> =>
  askProcess<SetPaper>(script, task as object, { ...limits, timeoutMs }).catch((error: unknown) => {
    if (error instanceof UnansweredError) return { fault: error.message }
    throw error
  })

/**
 * The PDF of a paper that hashes to this: made once, shared by all who ask meanwhile.
 * @throws DomainError `pdf_busy`, `pdf_not_made`
 */
export async function setPaper(hash: string, gather: () => Promise<SettingTask>) {
  const set = await known.fetch(hash, { context: gather })
  if (set && 'bytes' in set) return set
  throw unavailable(
    'pdf_not_made',
    'This PDF cannot be made now, as happens to very long texts: read the page.',
    {
      retryAfterSeconds: restMs / 1000,
      cause: new Error(set?.fault),
    },
  )
}
