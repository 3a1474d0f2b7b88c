import { ZodError } from 'zod'
import { ConfigError } from '../config.ts'
import { isDistrust } from '../domain/certificate.ts'
import { DomainError } from '../errors.ts'

/** What failed, for a person. */
export function sentenceOf(error: unknown): string {
  if (error instanceof DomainError && error.code === 'database_away') {
    return isDistrust(error)
      ? `The database ${(error.cause as Error).message}.`
      : 'The database does not answer; check DATABASE_URL and that the server runs.'
  }
  if (error instanceof DomainError) {
    const fields = error.fields.map((field) => `  ${field.field}: ${field.message}`)
    return [error.message, ...fields].join('\n')
  }
  if (error instanceof ZodError) {
    const fields = error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    return ['Some fields are not valid:', ...fields].join('\n')
  }
  if (error instanceof ConfigError) return error.message
  const code = (error as { code?: unknown }).code
  if (code === '42P01') return 'The database has no tables of Dépêche yet; run `bin/depeche migrate` first.'
  const message = error instanceof Error ? error.message : String(error)
  return `Something failed that should not: ${message}. Try again; if it stays, report it with these words.`
}
