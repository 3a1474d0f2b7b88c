import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What the list needs of a caught mail, so that the mail itself can stay on disk. */
export interface Summary {
  /** Sorts by arrival. */
  id: string
  receivedAt: string
  envelope: { from: string; to: string[] }
  from: string
  to: string
  subject: string
  size: number
}

const strangerAgeMs = 600_000

export type Mailbox = ReturnType<typeof openMailbox>

/**
 * Mails as files, their summaries in a journal beside them: a mail counts once its line is in the journal.
 * Only the newest `limit` are kept, so that neither disk nor memory grows without bound.
 */
export function openMailbox(directory: string, limit = 5_000) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const journal = join(directory, 'journal.jsonl')
  const fileOf = (id: string) => join(directory, `${id}.eml`)
  const { summaries, received } = readJournal(journal, limit)
  removeStrangers(directory, summaries)
  writeJournal(journal, summaries, received)
  let count = received
  let linesInJournal = summaries.length
  // Ids sort by arrival, also of mails within one millisecond.
  const nextId = () =>
    `${Date.now().toString(36)}-${(count + 1).toString(36).padStart(7, '0')}-${randomBytes(3).toString('hex')}`

  return {
    get count() {
      return summaries.length
    },
    /** Mails received since the mailbox was made, also those that were let go. */
    get received() {
      return count
    },
    /** Resolves when the mail would survive a kill of this process. */
    async put(raw: Buffer, given: Omit<Summary, 'id' | 'receivedAt' | 'size'>): Promise<void> {
      const summary = { id: nextId(), receivedAt: new Date().toISOString(), size: raw.length, ...given }
      count += 1
      await writeFile(fileOf(summary.id), raw, { mode: 0o600 })
      appendFileSync(journal, `${JSON.stringify(summary)}\n`)
      summaries.push(summary)
      linesInJournal += 1
      const dropped = summaries.length > limit ? summaries.shift() : undefined
      if (dropped) await rm(fileOf(dropped.id), { force: true })
      if (linesInJournal > 2 * limit) {
        writeJournal(journal, summaries, count)
        linesInJournal = summaries.length
      }
    },
    /**
     * The newest `most`, newest first.
     * @param query.to a whole recipient address, or a part of one; undefined is everything
     * @param query.before an id, for the next page
     */
    list(most: number, { to, before }: { to?: string | undefined; before?: string | undefined } = {}) {
      const matches = matcherOf(to)
      return summaries
        .filter((summary) => (before === undefined || summary.id < before) && matches(summary))
        .slice(-most)
        .reverse()
    },
    find: (id: string) => summaries.find((summary) => summary.id === id),
    read: (id: string) => readFile(fileOf(id)),
  }
}

function matcherOf(to: string | undefined): (summary: Summary) => boolean {
  const wanted = to?.trim().toLowerCase() ?? ''
  if (wanted === '') return () => true
  const isWhole = /^[^@]+@[^@]+$/.test(wanted)
  return ({ envelope }) =>
    envelope.to.some((address) =>
      isWhole ? address.toLowerCase() === wanted : address.toLowerCase().includes(wanted),
    )
}

/** The first line counts what came before; a last line cut off by a kill was never answered with 250. */
function readJournal(journal: string, limit: number): { summaries: Summary[]; received: number } {
  if (!existsSync(journal)) return { summaries: [], received: 0 }
  const summaries: Summary[] = []
  let before = 0
  for (const line of readFileSync(journal, 'utf8').split('\n')) {
    const entry = parseLine(line)
    if (entry && 'before' in entry) before = entry.before
    else if (entry) summaries.push(entry)
  }
  const received = before + summaries.length
  return { summaries: summaries.slice(-limit), received }
}

function parseLine(line: string): Summary | { before: number } | undefined {
  try {
    return JSON.parse(line) as Summary | { before: number }
  } catch {
    return undefined
  }
}

function writeJournal(journal: string, summaries: Summary[], received: number): void {
  const lines = [{ before: received - summaries.length }, ...summaries].map(
    (entry) => `${JSON.stringify(entry)}\n`,
  )
  writeFileSync(`${journal}.partial`, lines.join(''), { mode: 0o600 })
  renameSync(`${journal}.partial`, journal)
}

/** Left behind by a kill. A young one may belong to an older catcher that still finishes its conversations. */
function removeStrangers(directory: string, summaries: Summary[]): void {
  const youngest = Date.now() - strangerAgeMs
  const known = new Set(summaries.map(({ id }) => `${id}.eml`))
  for (const file of readdirSync(directory)) {
    if (!file.endsWith('.eml') || known.has(file)) continue
    if (statSync(join(directory, file)).mtimeMs < youngest) rmSync(join(directory, file))
  }
}
