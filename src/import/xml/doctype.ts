import { invalid } from '../../errors.ts'

const quoted = /"[^"]*"|'[^']*'/g

/** @throws DomainError `doctype_refused`: one that declares anything */
export function requireBareDoctype(text: string): void {
  if (/[[<]/.test(text.replace(quoted, ''))) throw doctypeRefused()
}

export const doctypeRefused = () =>
  invalid(
    'doctype_refused',
    'The file has a document type (<!DOCTYPE>) with declarations of its own, which no export of WordPress and no feed needs; remove it and try again.',
  )
