import type { Request } from 'express'
import { z } from 'zod'
import { preconditionFailed, preconditionRequired } from '../errors.ts'

export const ifMatch = z
  .string()
  .regex(/^(?:W\/)?"\d{1,15}"$/)
  .describe('The ETag of what was looked at')

export const idempotencyKey = z
  .string()
  .regex(/^[!-~]{1,200}$/)
  .describe('Of your own, the same on every retry: the same answer, and nothing is done twice')

/** The version that `If-Match` names: `"7"` of a digest's ETag. Undefined where the header is absent. */
export function ifMatchVersion(request: Request): number | undefined {
  const header = request.get('if-match')?.trim()
  if (header === undefined) return undefined
  if (ifMatch.safeParse(header).success) return Number(header.split('"')[1])
  throw preconditionFailed(
    'version_changed',
    'If-Match names no version of this; read it again and use its ETag.',
  )
}

/** @throws DomainError `idempotency_key_required` */
export function requireKey(request: Request): string {
  const key = idempotencyKey.safeParse(request.get('idempotency-key'))
  if (key.success) return key.data
  throw preconditionRequired(
    'idempotency_key_required',
    'Send an Idempotency-Key of your own (1 to 200 visible ASCII characters), the same on every retry of this click.',
  )
}
