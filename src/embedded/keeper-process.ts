import { setTimeout as sleep } from 'node:timers/promises'
import { endingMs } from '../lifecycle.ts'
import { isServerHeld } from '../store/server.ts'
import { findPostgres, stopPostgres } from './postgres.ts'

/**
 * The process that stops the embedded PostgreSQL when its supervisor is gone, however it went: in order or killed.
 * It sits in a session of its own, where a terminal's Ctrl-C does not reach it, and learns of the end by the closed
 * IPC channel. Web and worker still drain then and need the database, so it waits for them first.
 */

const dataDir = process.argv[2] ?? ''
let clients: number[] = []

process.on('message', (pids: number[]) => {
  clients = pids
})
process.on('disconnect', () => {
  void end()
})
// Where all processes are told to end at once, this one still ends last.
process.on('SIGTERM', () => undefined)

async function end(): Promise<void> {
  const deadline = Date.now() + endingMs.keeper
  while (clients.some(isAlive) && Date.now() < deadline) await sleep(50)
  const url = await findPostgres(dataDir)
  // The next supervisor may have adopted the server meanwhile; then its keeper stops it.
  if (url && !(await isServerHeld(url))) await stopPostgres(dataDir)
  process.exit()
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
