import { spawnSync } from 'node:child_process'

/** Runs a program of the machine with `input` on its standard input. @throws Error with its output when it fails */
export function runProgram(command: string, args: string[], input: Buffer | string = ''): string {
  const result = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.error) throw result.error
  if (result.status !== 0) {
    throw new Error(`${command} ended with ${result.status}: ${result.stdout}${result.stderr}`)
  }
  return result.stdout + result.stderr
}
