import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import type { Certificates } from './certificates.ts'
import { query } from './query.ts'
import { until } from './until.ts'

const root = '/usr/lib/postgresql'

/** Debian's newest PostgreSQL, with the programs that the embedded one lacks. */
const programs = () => {
  const newest = readdirSync(root).sort((one, other) => Number(other) - Number(one))[0] ?? ''
  return `${root}/${newest}/bin`
}

/** Servers refuse to run as root. */
const asPostgres = (program: string, args: string[]) => {
  const [file, ...rest] =
    process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', program, ...args] : [program, ...args]
  execFileSync(file, rest, { stdio: 'ignore' })
}

/** Its own certificate, readable by it alone. */
function certify(directory: string, { cert, key }: Certificates): string {
  const [ownCert, ownKey] = [`${directory}/cert.pem`, `${directory}/key.pem`]
  copyFileSync(cert, ownCert)
  asPostgres('/usr/bin/install', ['-m', '0600', key, ownKey])
  return ` -c ssl=on -c ssl_cert_file=${ownCert} -c ssl_key_file=${ownKey}`
}

/** A server of Debian's PostgreSQL on a directory; gone when the test has finished. */
async function start(directory: string, tls?: Certificates) {
  const port = await findFreePort()
  const data = `${directory}/data`
  const options = `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c fsync=off${tls ? certify(directory, tls) : ''}`
  const control = (...args: string[]) => {
    asPostgres(`${programs()}/pg_ctl`, ['-D', data, '-w', ...args])
  }
  control('-o', options, '-l', `${directory}/log`, 'start')
  const crash = () => {
    if (existsSync(`${data}/postmaster.pid`)) control('-m', 'immediate', 'stop')
  }
  onTestFinished(crash)
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    /** All its processes at once, as when they are killed. */
    crash,
    /** Makes a standby a server of its own. */
    promote: () => {
      control('promote')
    },
  }
}

function aDirectory(): string {
  const directory = mkdtempSync('/var/tmp/depeche-debian-')
  chmodSync(directory, 0o777)
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

export async function aDebianCluster(tls?: Certificates) {
  const directory = aDirectory()
  asPostgres(`${programs()}/initdb`, [
    ...['-D', `${directory}/data`, '-U', 'postgres', '-A', 'trust'],
    ...['-E', 'UTF8', '--locale', 'C.UTF-8'],
  ])
  const server = await start(directory, tls)
  const copyFiles = (...args: string[]) => {
    const copied = aDirectory()
    asPostgres(`${programs()}/pg_basebackup`, [
      '-D',
      `${copied}/data`,
      '-d',
      server.url,
      '-c',
      'fast',
      ...args,
    ])
    return start(copied, tls)
  }
  return {
    ...server,
    /** @returns what the program has printed */
    run: (program: 'pg_dump' | 'pg_restore' | 'psql', args: string[]): Buffer =>
      execFileSync(`${programs()}/${program}`, args, { maxBuffer: 64e6 }),
    /** A copy of the whole cluster while it runs, started. */
    copy: async (): Promise<string> => (await copyFiles()).url,
    /** A standby that every commit waits for. */
    async standby() {
      const standby = await copyFiles('-R')
      await query(server.url, `alter system set synchronous_standby_names = '*'`)
      await query(server.url, 'select pg_reload_conf()')
      await until('commits wait for it', async () => {
        const rows = await query<{ state: string }>(
          server.url,
          'select sync_state as state from pg_stat_replication',
        )
        return rows[0]?.state === 'sync'
      })
      return standby
    },
  }
}

/** PgBouncer in transaction mode before a server. @returns the address that leads through it */
export async function aPooler(url: string): Promise<string> {
  const directory = aDirectory()
  const { hostname, port, username, password } = new URL(url)
  const listenPort = await findFreePort()
  writeFileSync(
    `${directory}/pgbouncer.ini`,
    `[databases]
* = host=${hostname} port=${port} user=${username}${password && ` password=${decodeURIComponent(password)}`}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
`,
  )
  const args = [...(process.getuid?.() === 0 ? ['-u', 'postgres'] : []), `${directory}/pgbouncer.ini`]
  const pooler = spawn('/usr/sbin/pgbouncer', args, { stdio: 'ignore' })
  onTestFinished(async () => {
    pooler.kill('SIGKILL')
    await once(pooler, 'exit')
  })
  const through = new URL(url)
  through.port = String(listenPort)
  await until('the pooler lets through', () =>
    query(through.href, 'select').then(
      () => true,
      () => false,
    ),
  )
  return through.href
}
