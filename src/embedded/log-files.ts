import { closeSync, copyFileSync, existsSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

const largestBytes = 20 * 1024 * 1024
const warnLevel = 40

/** One line of pino's, as far as a person at the terminal needs it. */
interface Entry {
  level: number
  msg: string
  reason?: string
  err?: { message?: string }
}

/**
 * Follows a log file and hands over warnings and errors, one short line each. A file that has grown large is
 * moved to `.1`; whoever writes it appends, so it goes on at the beginning.
 * @returns a function that ends it
 */
export function followWarnings(file: string, onWarning: (line: string) => void): () => void {
  let position = existsSync(file) ? statSync(file).size : 0
  let rest = ''
  const read = () => {
    if (!existsSync(file)) return
    const { size } = statSync(file)
    if (size < position) position = 0
    const lines = (rest + readPart(file, position, size)).split('\n')
    rest = lines.pop() ?? ''
    position = size
    for (const line of lines) {
      const warning = toWarning(line)
      if (warning) onWarning(warning)
    }
    if (size > largestBytes) {
      copyFileSync(file, `${file}.1`)
      truncateSync(file)
    }
  }
  const timer = setInterval(read, 500)
  timer.unref()
  return () => {
    clearInterval(timer)
    read()
  }
}

function readPart(file: string, from: number, to: number): string {
  const descriptor = openSync(file, 'r')
  try {
    const part = Buffer.alloc(to - from)
    return part.toString('utf8', 0, readSync(descriptor, part, 0, part.length, from))
  } finally {
    closeSync(descriptor)
  }
}

/** What is not JSON is the stack of a process that died, or a warning of Node's own: worth seeing. */
function toWarning(line: string): string | undefined {
  if (line.trim() === '') return undefined
  try {
    const { level, msg, reason, err } = JSON.parse(line) as Entry
    if (level < warnLevel) return undefined
    const why = reason ?? err?.message
    return stripVTControlCharacters(why ? `${msg} (${why})` : msg)
  } catch {
    return stripVTControlCharacters(line)
  }
}
