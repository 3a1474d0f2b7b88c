import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'

export interface RedisServer {
  url: string
  port: number
  /** With `kill -9`. */
  stop: () => Promise<void>
  /** Empty, under the same address. */
  startAgain: () => Promise<void>
}

/** A real Redis of its own, without files, stopped when the test has finished. */
export async function aRedis(): Promise<RedisServer> {
  const port = await findFreePort()
  let server = await startServer(port)
  const stop = () => server.stop()
  onTestFinished(stop)
  const startAgain = async () => {
    server = await startServer(port)
  }
  return { url: `redis://127.0.0.1:${port}`, port, stop, startAgain }
}

async function startServer(port: number) {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', [...args, '--maxmemory-policy', 'noeviction'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(server, 'exit')
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve()
    })
  })
  return {
    stop: async () => {
      server.kill('SIGKILL')
      await exited
    },
  }
}
