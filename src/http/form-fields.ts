import { ZodError } from 'zod'
import { DomainError } from '../errors.ts'

/** A group of boxes or selects under one name: absent, one value or several. */
export const listOf = (value: unknown): string[] =>
  [value].flat().filter((one): one is string => typeof one === 'string' && one !== '')

/**
 * The fields of a form that an error finds at fault: of a path into the body, the last name. Undefined for an error
 * that is not about what was filled in.
 */
export function faultsOf(error: unknown): string[] | undefined {
  if (error instanceof ZodError) return [...new Set(error.issues.map(({ path }) => lastName(path)))]
  if (!(error instanceof DomainError) || error.fields.length === 0) return undefined
  return error.fields.map(({ field }) => lastName(field.split('.')))
}

const lastName = (path: readonly PropertyKey[]): string =>
  String(path.findLast((part) => !/^\d+$/.test(String(part))) ?? '')
