import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

const room = 4 * 1024 ** 3

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > room
  } catch {
    return false
  }
}

/** Whether databases lie in memory: making and dropping one of some six hundred files costs a disk ten times as much. */
export const isInMemory = hasRoom('/dev/shm')

const base = isInMemory ? '/dev/shm' : '/var/tmp'

/** An empty folder for a database, for whoever makes it to remove. */
export const aDatabaseFolder = (name: string): string => mkdtempSync(`${base}/depeche-${name}-`)

const hour = 3_600_000

/** Removes what runs that were killed have left: memory is not given back by itself. */
export function removeAbandonedFolders(): void {
  for (const name of readdirSync(base)) {
    const folder = join(base, name)
    if (!/^depeche-(test|cluster)-/.test(name) || Date.now() - statSync(folder).mtimeMs < hour) continue
    const lockFile = join(folder, 'postgres', 'postmaster.pid')
    const [pid = ''] = existsSync(lockFile) ? readFileSync(lockFile, 'utf8').split('\n') : []
    if (!existsSync(`/proc/${pid || 'none'}`)) rmSync(folder, { recursive: true, force: true })
  }
}
