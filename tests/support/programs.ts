import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** For a process of ours: nothing of this one's settings, and modules that are compiled once for all of them. */
export const bareEnvironment = {
  PATH: process.env['PATH'] ?? '',
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)),
}

/** Runs a program of the machine with `input` on its standard input. @throws Error with its output when it fails */
export function runProgram(command: string, args: string[], input: Buffer | string = ''): string {
  const result = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.error) throw result.error
  if (result.status !== 0) {
    throw new Error(`${command} ended with ${result.status}: ${result.stdout}${result.stderr}`)
  }
  return result.stdout + result.stderr
}
