import { existsSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { conflict } from '../errors.ts'
import { isServerSupervised } from '../store/server.ts'
import { choosePlace, partialsOf } from './place.ts'
import { findPostgres, stopPostgres } from './postgres.ts'
import { findState } from './state.ts'

const stopTimeoutMs = 60_000

/** All that an installation keeps; anything else in DATA_DIR is not ours. */
const contents = {
  postgres: 'the database',
  'postgres-password': 'its password',
  'secret-key': 'the secret key (links in mails already sent stop working)',
  mail: 'the caught mails',
  logs: 'the logs',
  empty: 'the wish for a newsroom without the sample',
  'running.json': 'the note of a running service',
}

/**
 * Starts over: stops a running service and removes the embedded database, the secret and the caught mails.
 * @throws DomainError `nothing_embedded` where DATABASE_URL names a database: that one is never touched
 */
export async function resetInstallation(config: Config, say: (line: string) => void): Promise<void> {
  const { dataDir } = config
  if (config.databaseUrl !== undefined) {
    throw conflict(
      'nothing_embedded',
      'DATABASE_URL is set: reset removes an embedded database only, and nothing was removed.',
    )
  }
  if (!existsSync(dataDir)) {
    say(`There is nothing to remove: ${dataDir} does not exist.`)
    return
  }
  await stopAll(config, say)
  const { cluster } = await choosePlace(dataDir)
  const paths = Object.entries(contents).flatMap(([name, meaning]) => {
    const path = name === 'postgres' ? cluster : join(dataDir, name)
    return [path, ...partialsOf(path)].filter(existsSync).map((found) => ({ path: found, meaning }))
  })
  for (const { path, meaning } of paths) {
    say(`Removing ${path}: ${meaning}`)
    rmSync(path, { recursive: true, force: true })
  }
  // The directory that stands in for DATA_DIR (place.ts) is ours as a whole.
  if (dirname(cluster) !== dataDir && basename(cluster) === 'postgres')
    rmSync(dirname(cluster), { recursive: true })
  say(paths.length > 0 ? 'Done. `npm start` begins anew.' : `There is nothing to remove in ${dataDir}.`)
}

async function stopAll({ dataDir }: Config, say: (line: string) => void): Promise<void> {
  const url = await findPostgres(dataDir)
  if (!url) return
  if (await isServerSupervised(url)) {
    say('Stopping the running service first.')
    // It is known to run, so the process id is its own and no other process's.
    const state = findState(dataDir)
    if (state) process.kill(state.pid, 'SIGTERM')
  }
  const deadline = Date.now() + stopTimeoutMs
  while ((await isServerSupervised(url).catch(() => false)) && Date.now() < deadline) await sleep(100)
  // Its keeper stops the server as well; whoever comes second finds nothing to do.
  await stopPostgres(dataDir).catch(() => undefined)
}
