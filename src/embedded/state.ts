import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a running service tells to commands on the same DATA_DIR. A killed one leaves it behind: the lock decides. */
export interface RunningState {
  pid: number
  publicUrl: string
  smtpUrl: string | undefined
}

const stateFileOf = (dataDir: string) => join(dataDir, 'running.json')

export function writeState(dataDir: string, state: RunningState): void {
  writeFileSync(stateFileOf(dataDir), `${JSON.stringify(state)}\n`, { mode: 0o600 })
}

export function findState(dataDir: string): RunningState | undefined {
  try {
    return JSON.parse(readFileSync(stateFileOf(dataDir), 'utf8')) as RunningState
  } catch {
    return undefined
  }
}

export function deleteState(dataDir: string): void {
  rmSync(stateFileOf(dataDir), { force: true })
}
