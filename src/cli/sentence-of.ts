import { ZodError } from 'zod'
import { ConfigError } from '../config.ts'
import { doesNotKnowUs } from '../domain/backend-address.ts'
import { isDistrust } from '../domain/certificate.ts'
import { DomainError, fieldErrorsOf, type FieldError } from '../errors.ts'

/** What failed, for a person. */
export function sentenceOf(error: unknown): string {
  const refusal = (error instanceof DomainError ? error.cause : error) as
    (Error & { code?: string }) | undefined
  if (doesNotKnowUs.includes(refusal?.code ?? '')) {
    return `The database refuses us: ${refusal?.message}. Check user, password and database in DATABASE_URL.`
  }
  if (error instanceof DomainError && error.code === 'database_away') {
    return isDistrust(error)
      ? `The database ${(error.cause as Error).message}.`
      : 'The database does not answer; check DATABASE_URL and that the server runs.'
  }
  if (error instanceof DomainError) return withFields(error.message, error.fields)
  if (error instanceof ZodError) return withFields('Some fields are not valid:', fieldErrorsOf(error))
  if (error instanceof ConfigError) return error.message
  const { code = '', path } = error as { code?: string; path?: string }
  if (code === '42P01') return 'The database has no tables of Dépêche yet; run `bin/depeche migrate` first.'
  const message = error instanceof Error ? error.message : String(error)
  if (path !== undefined) return `The machine refuses us: ${message}. Check the path and its permissions.`
  return `Something failed that should not: ${message}. Try again; if it stays, report it with these words.`
}

/** A field whose message is the sentence itself says no more than that. */
const withFields = (sentence: string, fields: FieldError[]): string =>
  [
    sentence,
    ...fields
      .filter(({ message }) => message !== sentence)
      .map(({ field, message }) => `  ${field}: ${message}`),
  ].join('\n')
