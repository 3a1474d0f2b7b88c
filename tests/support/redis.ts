import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import type { Certificates } from './certificates.ts'
import { until } from './until.ts'

export interface RedisServer {
  url: string
  port: number
  /** With `kill -9`. */
  stop: () => Promise<void>
  /** It says nothing more, and closes nothing. */
  freeze: () => void
  /** Empty, under the same address. */
  startAgain: () => Promise<void>
}

interface RedisOptions {
  /** `redis-server`, or another of the family. */
  program?: string
  args?: string[]
  port?: number
  /** TLS, and nothing else, to clients and among themselves. */
  tls?: Certificates | undefined
}

/** As options of the command line; a file of configuration has them without the dashes. */
const tlsArgs = ({ ca, cert, key }: Certificates, port: number) => [
  ...['--port', '0', '--tls-port', String(port), '--tls-ca-cert-file', ca, '--tls-cert-file', cert],
  ...['--tls-key-file', key, '--tls-auth-clients', 'no', '--tls-replication', 'yes', '--tls-cluster', 'yes'],
]

/** A real Redis of its own, without files, stopped when the test has finished. */
export async function aRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await findFreePort())
  let server = await startServer(port, options)
  const stop = () => server.stop()
  onTestFinished(stop)
  const startAgain = async () => {
    server = await startServer(port, options)
  }
  const freeze = () => {
    server.freeze()
  }
  return { url: `${schemeOf(options)}://127.0.0.1:${port}`, port, stop, freeze, startAgain }
}

const schemeOf = ({ tls }: RedisOptions) => (tls ? 'rediss' : 'redis')

async function startServer(port: number, { program = 'redis-server', args: more = [], tls }: RedisOptions) {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn(
    program,
    [...args, '--maxmemory-policy', 'noeviction', ...(tls ? tlsArgs(tls, port) : []), ...more],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(server, 'exit')
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => {
      reject(new Error(`${program} ended before it was ready`))
    })
    server.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve()
    })
  })
  return {
    freeze: () => server.kill('SIGSTOP'),
    stop: async () => {
      server.kill('SIGKILL')
      await exited
    },
  }
}

/** What a server says to a command. */
const askOver =
  (tls?: Certificates) =>
  (port: number, ...command: string[]): string =>
    execFileSync(
      'redis-cli',
      [...(tls ? ['--tls', '--cacert', tls.ca] : []), '-h', '127.0.0.1', '-p', String(port), ...command],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 },
    )
export const ask = askOver()

function aFolder(): string {
  const folder = mkdtempSync('/var/tmp/depeche-redis-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Three masters, each with a replica that takes its place within seconds. */
export async function aRedisCluster({ tls }: Pick<RedisOptions, 'tls'> = {}) {
  const ask = askOver(tls)
  const folder = aFolder()
  const nodes: RedisServer[] = []
  for (let n = 0; n < 6; n++) {
    // A second port, ten thousand higher, is for the nodes among themselves.
    const port = await until('a port that leaves room', async () => {
      const free = await findFreePort()
      return (await findFreePort(free + 10_000)) === free + 10_000 && free
    })
    const args = ['--cluster-enabled', 'yes', '--dir', folder, '--cluster-config-file', `${port}.conf`]
    nodes.push(await aRedis({ port, tls, args: [...args, '--cluster-node-timeout', '2000'] }))
  }
  const [first] = nodes
  if (!first) throw new Error('six nodes have a first')
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  ask(first.port, '--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes')
  await until('the cluster is whole', async () =>
    Promise.resolve(nodes.every(({ port }) => ask(port, 'cluster', 'info').includes('cluster_state:ok'))),
  )
  return {
    nodes,
    url: `${schemeOf({ tls })}+cluster://${addresses.join(',')}`,
    /** Kills the master that holds the queue's keys. */
    async killMaster(): Promise<void> {
      const slot = Number(ask(first.port, 'cluster', 'keyslot', '{depeche}'))
      const lines = ask(first.port, 'cluster', 'nodes').split('\n')
      const holder = lines.find((line) =>
        line
          .split(' ')
          .slice(8)
          .some((range) => {
            const [from = NaN, to = from] = range.split('-').map(Number)
            return slot >= from && slot <= to
          }),
      )
      const port = Number(/127\.0\.0\.1:(\d+)@/.exec(holder ?? '')?.[1])
      await nodes.find((node) => node.port === port)?.stop()
    },
  }
}

/** A master, a replica, and three Sentinels that make the one the other within seconds. */
export async function aSentinelSetup(servers: Pick<RedisOptions, 'program' | 'tls'> = {}) {
  const { tls } = servers
  const ask = askOver(tls)
  const folder = aFolder()
  const master = await aRedis(servers)
  const replica = await aRedis({
    ...servers,
    args: ['--dir', folder, '--replicaof', '127.0.0.1', String(master.port)],
  })
  await until('the replica follows', () =>
    Promise.resolve(ask(replica.port, 'info', 'replication').includes('master_link_status:up')),
  )
  const sentinels: number[] = []
  for (let n = 0; n < 3; n++) sentinels.push(await aSentinel(folder, master.port, tls))
  await until('they know of each other', () =>
    Promise.resolve(
      sentinels.every((port) =>
        /num-slaves\n1\n[^]*num-other-sentinels\n2\n/.test(ask(port, 'sentinel', 'master', 'lettres')),
      ),
    ),
  )
  return {
    master,
    replica,
    sentinels,
    url: `${schemeOf(servers)}+sentinel://${sentinels.map((port) => `127.0.0.1:${port}`).join(',')}/lettres`,
  }
}

async function aSentinel(folder: string, masterPort: number, tls?: Certificates): Promise<number> {
  const ask = askOver(tls)
  const port = await findFreePort()
  const file = join(folder, `${port}.conf`)
  // The one that is shipped, in a hurry.
  const shipped = readFileSync(new URL('../../deploy/sentinel.conf', import.meta.url), 'utf8')
  const ours = shipped
    .replace('port 26379', `port ${port}`)
    .replace('dir /tmp', `dir ${folder}`)
    .replace('127.0.0.1 6379', `127.0.0.1 ${masterPort}`)
    .replace(' 5000', ' 1000')
    .replace(' 30000', ' 5000')
  writeFileSync(file, ours)
  const overTls = tls ? tlsArgs(tls, port) : []
  const sentinel = spawn('redis-server', [file, '--sentinel', ...overTls], { stdio: 'ignore' })
  onTestFinished(async () => {
    sentinel.kill('SIGKILL')
    await once(sentinel, 'exit')
  })
  await until('a Sentinel answers', () => {
    try {
      return Promise.resolve(ask(port, 'ping').includes('PONG'))
    } catch {
      return Promise.resolve(false)
    }
  })
  return port
}
