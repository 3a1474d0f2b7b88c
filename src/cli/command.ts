import { ZodError } from 'zod'
import { readConfig, ConfigError } from '../config.ts'
import { createContext, type Context } from '../context.ts'
import type { Actor } from '../domain/editor.ts'
import { DomainError } from '../errors.ts'
import { createLogger } from '../log.ts'

/** Whoever can run commands on the machine may do everything; the audit log says `cli`. */
export const cliActor: Actor = { kind: 'cli', role: 'admin' }

/** Wrong use: a sentence for the person and exit code 2. */
export class UsageError extends Error {}

/**
 * Opens the same database as the service for the time of one command. With the embedded database it finds the running
 * server through DATA_DIR, and starts it where it is not running.
 */
export async function withContext<T>(work: (context: Context) => Promise<T>): Promise<T> {
  const config = readConfig()
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'cli')
  const { databaseUrl, secretKeys } = config
  if (databaseUrl && secretKeys) {
    return withClosing(createContext({ ...config, databaseUrl, secretKeys }, { log }), work)
  }
  // Production images carry no embedded database, so it is loaded only here.
  const { openInstallation } = await import('../embedded/installation.ts')
  const installation = await openInstallation(config, 'command')
  try {
    return await withClosing(createContext(installation.config, { log }), work)
  } finally {
    await installation.close()
  }
}

async function withClosing<T>(context: Context, work: (context: Context) => Promise<T>): Promise<T> {
  try {
    return await work(context)
  } finally {
    await context.close()
  }
}

/** Runs a command to its exit code: 0 done, 1 failed with one sentence, 2 wrong use. No stack for a person. */
export async function runToExitCode(run: () => Promise<unknown>): Promise<number> {
  try {
    await run()
    return 0
  } catch (error) {
    const sentence = describe(error)
    if (sentence) process.stderr.write(`${sentence}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

function describe(error: unknown): string {
  if (error instanceof DomainError) {
    const fields = error.fields.map((field) => `  ${field.field}: ${field.message}`)
    return [error.message, ...fields].join('\n')
  }
  if (error instanceof ZodError) {
    const fields = error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    return ['Some fields are not valid:', ...fields].join('\n')
  }
  if (error instanceof ConfigError || error instanceof UsageError) return error.message
  const code = (error as { code?: unknown }).code
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return 'The database does not answer; check DATABASE_URL and that the server runs.'
  }
  if (code === '42P01') return 'The database has no tables of Dépêche yet; run `npx depeche migrate` first.'
  const message = error instanceof Error ? error.message : String(error)
  return `Something failed that should not: ${message}. Run again with LOG_LEVEL=debug for more.`
}
