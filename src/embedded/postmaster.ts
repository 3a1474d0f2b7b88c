import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const lockFileOf = (cluster: string) => join(cluster, 'postmaster.pid')

/**
 * What postmaster.pid says about the server of a cluster. Undefined when there is none: no server runs, and the last one
 * ended in order.
 */
export function readLockFile(cluster: string) {
  const file = lockFileOf(cluster)
  if (!existsSync(file)) return undefined
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n')
  return { isServer: isServerOf(cluster, Number(pid)), port: Number(port) }
}

/** Beyond every system's process ids. */
const nobody = 99_999_999

/**
 * Takes a lock file away from the process that got the dead server's id. Only the id is changed: the shared memory
 * key below it is how PostgreSQL finds out that processes of the dead server still write, and then it must not start.
 */
export function disownLockFile(cluster: string): void {
  const file = lockFileOf(cluster)
  const [, ...rest] = readFileSync(file, 'utf8').split('\n')
  if (rest.length < 2) rmSync(file)
  else writeFileSync(file, [nobody, ...rest].join('\n'))
}

/** Whether the process is alive and is a server on this very cluster: process ids are reused. */
function isServerOf(cluster: string, pid: number): boolean {
  const words = commandOf(pid)
  return words.includes('postgres') && words.includes(cluster)
}

function commandOf(pid: number): string {
  if (!Number.isInteger(pid) || pid <= 0) return ''
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
