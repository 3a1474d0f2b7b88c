import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { unavailable } from '../errors.ts'
import { ensureDatabase, findDataDirectory } from '../store/server.ts'
import { findFreePort } from './ports.ts'
import { choosePlace, partialsOf, type Place } from './place.ts'
import { disownLockFile, readLockFile } from './postmaster.ts'
import { readSecret } from './secret.ts'

const run = promisify(execFile)

interface Options {
  /** Holds the cluster and its password, unless a system user could not reach it (place.ts). */
  dataDir: string
  /** Settings on top of our own. */
  settings?: Record<string, string>
  /** Taken where it is free: processes that know the server under it find it again. */
  port?: number
}

const startTimeoutMs = 60_000

/**
 * Starts a real PostgreSQL from the npm package's binaries, or adopts the one that already runs on `dataDir`.
 * Whatever was killed before, at any moment, needs no repair by hand.
 * @returns the connection string of database `depeche`, and the port in it
 * @throws DomainError `postgres_not_started` with the end of the server's log
 */
export async function startPostgres(options: Options) {
  const place = await choosePlace(options.dataDir)
  const password = readPassword(place)
  if (!isMade(place)) await makeCluster(place, password)
  const urlOf = (port: number) => `postgres://depeche:${password}@127.0.0.1:${port}/depeche`
  const port = await startServer(place, options, urlOf)
  await ensureDatabase(urlOf(port))
  return { url: urlOf(port), port }
}

/** The connection string of the server that runs on `dataDir`; undefined when none runs. Starts and makes nothing. */
export async function findPostgres(dataDir: string): Promise<string | undefined> {
  if (!existsSync(join(dataDir, 'postgres-password'))) return undefined
  const place = await choosePlace(dataDir)
  const lock = readLockFile(place.cluster)
  if (lock?.isServer !== true) return undefined
  const url = `postgres://depeche:${readPassword(place)}@127.0.0.1:${lock.port}/depeche`
  return (await findDataDirectory(onMaintenance(url))) === place.cluster ? url : undefined
}

export async function stopPostgres(dataDir: string, mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
  const place = await choosePlace(dataDir)
  if (readLockFile(place.cluster)?.isServer !== true) return
  await runAs(place, place.pgCtl, ['stop', '-D', place.cluster, '-m', mode, '-w', '-t', '60'])
}

/** A minimal environment, so that no PG* or locale variable of the caller has a say. */
const runAs = (place: Place, program: string, args: string[]) =>
  run(program, args, { ...place.owner, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' } })

const onMaintenance = (url: string): string => {
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  return maintenance.href
}

const readPassword = ({ passwordFile }: Place): string => readSecret(passwordFile, 24)

const isMade = ({ cluster }: Place): boolean => existsSync(join(cluster, 'PG_VERSION'))

/**
 * Made beside its final name: one that was interrupted is never taken for a cluster, and of several that are made at
 * once the first to be done is the cluster.
 */
async function makeCluster(place: Place, password: string): Promise<void> {
  const partial = mkdtempSync(`${place.cluster}.partial-`)
  const passwordFile = `${partial}-password`
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 })
    // The owner may not write beside it; it is given an empty directory instead.
    if (place.owner)
      for (const path of [partial, passwordFile]) chownSync(path, place.owner.uid, place.owner.gid)
    await runAs(place, place.initdb, [
      ...['-D', partial, '-U', 'depeche', '--auth', 'scram-sha-256', '--pwfile', passwordFile],
      ...['--encoding', 'UTF8', ...locale, '--no-instructions'],
    ])
    renameSync(partial, place.cluster)
  } catch (error) {
    if (!isMade(place)) throw error
  }
  for (const left of partialsOf(place.cluster)) rmSync(left, { recursive: true, force: true, maxRetries: 10 })
}

/** The port of the server that runs already, once it answers; undefined when none runs, after taking its leftovers away. */
async function adopt(place: Place, urlOf: (port: number) => string): Promise<number | undefined> {
  const deadline = Date.now() + startTimeoutMs
  for (let lock = readLockFile(place.cluster); lock; lock = readLockFile(place.cluster)) {
    if (!lock.isServer) {
      disownLockFile(place.cluster)
      return undefined
    }
    const directory = await findDataDirectory(onMaintenance(urlOf(lock.port)))
    if (directory === place.cluster) return lock.port
    if (Date.now() > deadline) throw notStarted(place)
    await sleep(50)
  }
  return undefined
}

/**
 * Processes of a killed server may take a moment to notice: until then the new one refuses to start. One that another
 * starter was quicker to start is adopted.
 */
async function startServer(place: Place, options: Options, urlOf: (port: number) => string): Promise<number> {
  const deadline = Date.now() + startTimeoutMs
  let port = await findFreePort(options.port)
  for (;;) {
    const running = await adopt(place, urlOf)
    if (running !== undefined) return running
    try {
      await runAs(place, place.pgCtl, [
        ...['start', '-D', place.cluster, '-l', place.logFile, '-w', '-t', '60'],
        ...['-o', flagsOf({ ...settingsOf(port), ...options.settings })],
      ])
      return port
    } catch (error) {
      if (Date.now() > deadline) throw notStarted(place, error)
      const log = endOfLog(place)
      if (/could not bind|Address already in use/.test(log)) port = await findFreePort()
      else if (!/still in use|lock file/.test(log) && !readLockFile(place.cluster)?.isServer)
        throw notStarted(place, error)
      await sleep(200)
    }
  }
}

const settingsOf = (port: number): Record<string, string> => ({
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  port: String(port),
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
})

const flagsOf = (settings: Record<string, string>): string =>
  Object.entries(settings)
    .flatMap(([name, value]) => ['-c', `${name}='${value}'`])
    .join(' ')

const endOfLog = ({ logFile }: Place): string =>
  existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-4).join('\n') : ''

const notStarted = (place: Place, cause?: unknown) =>
  unavailable(
    'postgres_not_started',
    `PostgreSQL did not start; its log ${place.logFile} ends with:\n${endOfLog(place)}`,
    { cause },
  )
