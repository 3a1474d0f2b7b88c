import { ZodError } from 'zod'
import { DomainError } from '../errors.ts'

/**
 * The fields of a form that an error finds at fault: of a path into the body, the last name. Undefined for an error
 * that is not about what was filled in.
 */
export function faultsOf(error: unknown): string[] | undefined {
  if (error instanceof ZodError) return [...new Set(error.issues.map(({ path }) => lastName(path)))]
  if (!(error instanceof DomainError)) return undefined
  if (error.kind !== 'invalid' && error.fields.length === 0) return undefined
  return error.fields.map(({ field }) => lastName(field.split('.')))
}

const lastName = (path: readonly PropertyKey[]): string =>
  String(path.findLast((part) => !/^\d+$/.test(String(part))) ?? '')
