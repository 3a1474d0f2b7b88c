import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

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

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        resolve(port)
      })
    })
  })

/** A server of Debian's PostgreSQL on a directory; gone when the test has finished. */
async function start(directory: string): Promise<string> {
  const port = await freePort()
  const data = `${directory}/data`
  const options = `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c fsync=off`
  asPostgres(`${programs()}/pg_ctl`, ['-D', data, '-o', options, '-l', `${directory}/log`, '-w', 'start'])
  onTestFinished(() => {
    asPostgres(`${programs()}/pg_ctl`, ['-D', data, '-m', 'immediate', 'stop'])
  })
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

function aDirectory(): string {
  const directory = mkdtempSync('/var/tmp/depeche-debian-')
  chmodSync(directory, 0o777)
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

export async function aDebianCluster() {
  const directory = aDirectory()
  asPostgres(`${programs()}/initdb`, [
    '-D',
    `${directory}/data`,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
  ])
  const url = await start(directory)
  return {
    url,
    /** @returns what the program has printed */
    run: (program: 'pg_dump' | 'pg_restore' | 'psql', args: string[]): Buffer =>
      execFileSync(`${programs()}/${program}`, args, { maxBuffer: 64e6 }),
    /** A copy of the whole cluster while it runs, started. */
    async copy(): Promise<string> {
      const copied = aDirectory()
      asPostgres(`${programs()}/pg_basebackup`, ['-D', `${copied}/data`, '-d', url, '-c', 'fast'])
      return start(copied)
    },
  }
}
