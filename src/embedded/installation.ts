import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { ProcessConfig } from '../context.ts'
import { DomainError, conflict } from '../errors.ts'
import { migrateQueue, queueBackendOf } from '../queue/bullmq.ts'
import { migrate } from '../store/migrate.ts'
import { holdServer, isServerSupervised } from '../store/server.ts'
import { startKeeper } from './keeper.ts'
import { findPostgres, startPostgres } from './postgres.ts'
import { readSecret } from './secret.ts'
import { findState } from './state.ts'

/** The embedded database and secret of one DATA_DIR, open for this process. */
export type Installation = Awaited<ReturnType<typeof openInstallation>>

/**
 * Finds the running database of DATA_DIR, or starts it, and brings its tables up to date.
 * @throws DomainError `already_running` for a second supervisor
 */
export async function openInstallation(config: Config, as: 'supervisor' | 'command') {
  const { dataDir } = config
  let { hold, url, port } = await startAndHold(dataDir, as)
  const keeper = startKeeper(dataDir)
  /** Stops the database, unless another process uses it. */
  const close = async (): Promise<void> => {
    await hold.release()
    await keeper.release()
  }
  try {
    await migrate(url)
    await migrateQueue(queueBackendOf(config, url))
  } catch (error) {
    // Left open, they would keep the process that is told of it from ending.
    await close()
    throw error
  }
  const complete: ProcessConfig = {
    ...config,
    publicUrl: as === 'command' ? await publicUrlFor(config, url) : config.publicUrl,
    databaseUrl: url,
    secretKeys: config.secretKeys ?? [readSecret(join(dataDir, 'secret-key'), 32)],
  }
  return {
    /** The configuration with what the installation adds to it. */
    config: complete,
    keepFor: keeper.keepFor,
    /** Resolves when the database is gone without our doing. */
    lost: () => hold.lost,
    /** Starts the database again, on the same port where it is free, and returns its URL. */
    async recover(): Promise<string> {
      ;({ hold, url, port } = await startAndHold(dataDir, as, port))
      return url
    },
    close,
  }
}

/** A command's links lead to the service that runs, whatever port it was started with. */
async function publicUrlFor({ isPublicUrlSet, publicUrl, dataDir }: Config, url: string): Promise<string> {
  if (isPublicUrlSet || !(await isServerSupervised(url))) return publicUrl
  return findState(dataDir)?.publicUrl ?? publicUrl
}

/** The refusal of a second start, said before anything is opened. */
export async function refuseIfRunning(dataDir: string): Promise<void> {
  const url = await findPostgres(dataDir)
  if (url && (await isServerSupervised(url).catch(() => false))) throw alreadyRunning(dataDir)
}

const emptyFileOf = (dataDir: string) => join(dataDir, 'empty')

/** The next start, and every one after it, invents nothing. */
export function wishEmpty({ dataDir }: Pick<Config, 'dataDir'>): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(emptyFileOf(dataDir), '')
}

export const isEmptyWished = ({ dataDir }: Pick<Config, 'dataDir'>): boolean =>
  existsSync(emptyFileOf(dataDir))

/** The refusal to begin with nothing where something is. */
export function refuseIfUsed({ dataDir, databaseUrl }: Config): void {
  if (databaseUrl !== undefined) {
    const sentence = 'DATABASE_URL is set: nothing is ever invented there, so start without --empty.'
    throw conflict('already_used', sentence)
  }
  if (!existsSync(join(dataDir, 'postgres-password'))) return
  throw conflict(
    'already_used',
    `There is a newsroom in ${dataDir} already: start it without --empty, or remove it first by: npm run reset -- --empty`,
  )
}

/** How the one that runs is ended, where it has said who it is. */
const endingOf = (dataDir: string): string => {
  const state = findState(dataDir)
  return state ? ` (kill ${state.pid})` : ''
}

const alreadyRunning = (dataDir: string) =>
  conflict(
    'already_running',
    `Dépêche already runs on ${dataDir}: use that one, end it first${endingOf(dataDir)}, or set DATA_DIR and PORT for another.`,
  )

/** A keeper on its way out may stop the server under us; then it is started again. */
async function startAndHold(dataDir: string, as: 'supervisor' | 'command', port?: number) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const server = await startPostgres({ dataDir, ...(port !== undefined && { port }) })
      const hold = await holdServer(server.url, as)
      if (!hold) throw alreadyRunning(dataDir)
      return { hold, url: server.url, port: server.port }
    } catch (error) {
      if (error instanceof DomainError || attempt === 3) throw error
    }
  }
}
