import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, onTestFinished } from 'vitest'
import { bareEnvironment } from './programs.ts'

/** `npm start` as a real process with its own session, as a terminal gives it one. */
export interface StartedInstallation {
  /** Everything it has printed so far, both streams. */
  output(): string
  /** A URL of the four lines, by its name. */
  urlOf(step: 'Read' | 'Subscribe' | 'Mailbox' | 'Desk'): string
  process: ChildProcess
  /** Exit code or signal. */
  ended: Promise<number | NodeJS.Signals>
  /** What Ctrl-C does: the signal reaches every process of the terminal. */
  pressCtrlC(): void
}

/** An empty DATA_DIR; when the test has finished, what still runs on it is killed and it is removed. */
export function aDataDir(): string {
  const dataDir = mkdtempSync('/var/tmp/depeche-start-')
  onTestFinished(async () => {
    await killAll(dataDir)
    rmSync(dataDir, { recursive: true, force: true })
  })
  return dataDir
}

let used: Promise<string> | undefined

afterAll(async () => {
  if (used) rmSync(await used, { recursive: true, force: true })
})

/** A DATA_DIR on which the service has run before: one for a test file, without the logs of the test before. */
export async function aUsedDataDir(): Promise<string> {
  used ??= useDataDir()
  const dataDir = await used
  for (const log of ['logs', 'postgres/server.log'])
    rmSync(join(dataDir, log), { recursive: true, force: true })
  onTestFinished(() => killAll(dataDir))
  return dataDir
}

async function useDataDir(): Promise<string> {
  const dataDir = mkdtempSync('/var/tmp/depeche-start-')
  const started = await aRunningInstallation(dataDir)
  started.pressCtrlC()
  await started.ended
  return dataDir
}

async function killAll(dataDir: string): Promise<void> {
  for (const { pid } of processesOf(dataDir)) killQuietly(pid)
  await eventually(() => processesOf(dataDir).length === 0, 'everything on the data directory has ended')
}

/** Starts without waiting; any free ports. */
export function spawnStart(
  env: Record<string, string>,
  args: string[] = [],
  command = [process.execPath, 'src/start.ts'],
): StartedInstallation {
  const [program = '', ...words] = command
  const child = spawn(program, [...words, ...args], {
    detached: true,
    env: { ...bareEnvironment, PORT: '0', MAIL_CATCHER_PORT: '0', METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(signal ?? code ?? 0)
    })
  })
  return {
    process: child,
    ended,
    output: () => output,
    urlOf: (step) => new RegExp(`${step} +(http\\S+)`).exec(output)?.[1] ?? '',
    pressCtrlC: () => process.kill(-(child.pid ?? 0), 'SIGINT'),
  }
}

/** Starts and waits for the four lines. */
export async function aRunningInstallation(
  dataDir: string,
  env: Record<string, string> = {},
  args: string[] = [],
  command?: string[],
): Promise<StartedInstallation> {
  const started = spawnStart({ DATA_DIR: dataDir, ...env }, args, command)
  await eventually(() => {
    if (started.process.exitCode !== null) throw new Error(`it ended instead:\n${started.output()}`)
    return started.output().includes('Desk ')
  }, 'the four lines are printed')
  return started
}

export type Role = 'start' | 'web' | 'worker' | 'mail' | 'keeper' | 'postgres'

const roles: [Role, RegExp][] = [
  ['start', /src\/start\.ts/],
  ['web', /src\/server\.ts/],
  ['worker', /workers\/main\.ts/],
  ['mail', /catcher\/main\.ts/],
  ['keeper', /keeper-process\.ts/],
  ['postgres', /bin\/postgres/],
]

/** Every process of an installation, told by the data directory in its command or environment. */
export function processesOf(dataDir: string): { pid: number; role: Role }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const command = readQuietly(`/proc/${name}/cmdline`)
      const role = roles.find(([, pattern]) => pattern.test(command))?.[0]
      const isOurs = `${command}\0${readQuietly(`/proc/${name}/environ`)}`.includes(dataDir)
      return role && isOurs ? [{ pid: Number(name), role }] : []
    })
}

/** A process that has just forked stands there twice, under one command: the parent is meant. */
export function pidOf(dataDir: string, role: Role): number | undefined {
  const pids = processesOf(dataDir).flatMap((process) => (process.role === role ? [process.pid] : []))
  return pids.find((pid) => !pids.includes(parentOf(pid)))
}

/**
 * The database server, as PostgreSQL itself names it. By its command it cannot be told from what it has just forked, nor
 * from what it leaves behind for a moment when it is killed.
 */
export const databaseOf = (dataDir: string): number | undefined =>
  Number(readQuietly(join(dataDir, 'postgres', 'postmaster.pid')).split('\n')[0]) || undefined

/** What proc(5) says of it behind its name: state, parent and more. */
const statOf = (pid: number): string[] => readQuietly(`/proc/${pid}/stat`).replace(/.*\) /, '').split(' ')

const parentOf = (pid: number): number => Number(statOf(pid)[1])

/** Whether SIGSTOP has reached it. */
export const isStopped = (pid: number): boolean => statOf(pid)[0] === 'T'

export function killQuietly(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Polls until the condition holds. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 90_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(50)
  }
}
