import { execFile } from 'node:child_process'
import { testSecret } from './config.ts'
import { bareEnvironment } from './programs.ts'

export interface CliResult {
  code: number
  stdout: string
  stderr: string
}

/** Runs `depeche` as a process of its own on a database, as an operator would. */
export function depeche(
  databaseUrl: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['src/cli/depeche.ts', ...args],
      { env: { ...bareEnvironment, DATABASE_URL: databaseUrl, SECRET_KEY: testSecret, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr })
      },
    )
  })
}
