import { spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'

export interface RedisServer {
  url: string
  port: number
  stop: () => Promise<void>
}

/** A real Redis of its own, without files, stopped when the test has finished. */
export async function aRedis(port?: number): Promise<RedisServer> {
  const listenPort = port ?? (await findFreePort())
  const args = [
    '--port',
    String(listenPort),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--maxmemory-policy',
    'noeviction',
  ]
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) =>
    server.once('exit', () => {
      resolve()
    }),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve()
    })
  })
  const stop = async () => {
    server.kill('SIGKILL')
    await exited
  }
  onTestFinished(stop)
  return { url: `redis://127.0.0.1:${listenPort}`, port: listenPort, stop }
}
