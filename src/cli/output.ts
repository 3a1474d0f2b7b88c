import { setTimeout as sleep } from 'node:timers/promises'

/** To the minute, for people; it names its zone, for the terminal's may be another. */
export const toTime = (at: Date | string | null | undefined): string =>
  at ? `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC` : ''

/** Prints a result: JSON for programs, else the lines for people. */
export function printResult(options: { json?: boolean | undefined }, result: unknown, lines: string[]): void {
  const text = options.json ? JSON.stringify(result, null, 2) : lines.join('\n')
  process.stdout.write(`${text}\n`)
}

/** Columns of text, padded to the widest cell. */
export function toTable(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export interface Progress {
  /** `total` undefined where it is not known. */
  show: (done: number, total: number | undefined, note?: string) => void
  end: () => void
}

const barWidth = 30
const redrawMs = 100
const lineMs = 1_000

/** A bar on a terminal, one line a second elsewhere, both on stderr so that stdout stays for results. */
export function createProgress(label: string): Progress {
  const isTerminal = process.stderr.isTTY
  const everyMs = isTerminal ? redrawMs : lineMs
  let shownAt = 0
  let last = ''
  const write = (line: string) => process.stderr.write(isTerminal ? `\r\x1b[2K${line}` : `${line}\n`)
  return {
    show(done, total, note = '') {
      last = `${label} ${bar(done, total, isTerminal)}${note && ` ${note}`}`
      if (Date.now() - shownAt < everyMs) return
      shownAt = Date.now()
      write(last)
    },
    end() {
      if (last) write(last)
      if (isTerminal && last) process.stderr.write('\n')
    },
  }
}

/** Looks twice a second until there is nothing more to wait for. */
export async function watch<State>(
  label: string,
  look: () => Promise<State>,
  tell: (state: State) => { shown: Parameters<Progress['show']>; isOver: boolean },
): Promise<State> {
  const progress = createProgress(label)
  for (;;) {
    const state = await look()
    const { shown, isOver } = tell(state)
    progress.show(...shown)
    if (isOver) {
      progress.end()
      return state
    }
    await sleep(500)
  }
}

/** @param what waits, in a sentence */
export function tellOfNoWorker(what: string): void {
  process.stderr.write(`No worker runs: ${what} until \`npm start\` or \`node workers/main.ts\` does.\n`)
}

function bar(done: number, total: number | undefined, isTerminal: boolean): string {
  if (total === undefined || total === 0) return String(done)
  const share = Math.min(done / total, 1)
  const percent = `${Math.floor(share * 100)} %`
  if (!isTerminal) return `${percent} (${done} of ${total})`
  const filled = Math.round(share * barWidth)
  return `[${'█'.repeat(filled)}${'·'.repeat(barWidth - filled)}] ${percent}`
}
