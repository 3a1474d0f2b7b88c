import type { ZodError } from 'zod'

/** What went wrong, seen from the caller. Each boundary maps a kind to its own terms (HTTP status, retry). */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'
  | 'precondition_required'
  | 'throttled'
  | 'unavailable'

/** One rejected input: `field` is its path in the body, `message` a sentence that says what to do. */
export interface FieldError {
  field: string
  message: string
}

interface DomainErrorOptions {
  cause?: unknown
  fields?: FieldError[]
  /** The one field that the message is about. */
  field?: string | undefined
  /** Seconds after which a `throttled` or `unavailable` caller may try again. */
  retryAfterSeconds?: number
}

/**
 * The only error that is meant for a person. `code` is stable and documented in docs/errors.md;
 * `message` is one sentence that says what was wrong and what to do. Knows nothing of HTTP or queues.
 */
export class DomainError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly fields: FieldError[]
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ErrorKind, code: string, message: string, options: DomainErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'DomainError'
    this.kind = kind
    this.code = code
    this.fields = options.field === undefined ? (options.fields ?? []) : [{ field: options.field, message }]
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

const failureOf =
  (kind: ErrorKind) =>
  (code: string, message: string, options?: DomainErrorOptions): DomainError =>
    new DomainError(kind, code, message, options)

export const invalid = failureOf('invalid')
export const unauthenticated = failureOf('unauthenticated')
export const forbidden = failureOf('forbidden')
export const notFound = failureOf('not_found')
export const conflict = failureOf('conflict')
export const preconditionFailed = failureOf('precondition_failed')
export const preconditionRequired = failureOf('precondition_required')
export const throttled = failureOf('throttled')
export const unavailable = failureOf('unavailable')

/** What is wrong with one field, where the message says something else. */
export const atField = (field: string, message: string) => ({ fields: [{ field, message }] })

/** What a schema refuses, by field. Zod names the place of an unknown one alone. */
export const fieldErrorsOf = ({ issues }: ZodError): FieldError[] =>
  issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          field: [...issue.path, key].join('.'),
          message: `Unrecognized key: "${key}"`,
        }))
      : [{ field: issue.path.join('.'), message: issue.message }],
  )
