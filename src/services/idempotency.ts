import { canonicalJson } from '../domain/canonical-json.ts'
import { nameOfActor, type Actor } from '../domain/editor.ts'
import { invalid } from '../errors.ts'
import type { StoredAnswer } from '../store/idempotency-keys.ts'
import type { Stores } from '../store/stores.ts'
import { sha256 } from './secret.ts'

export type IdempotentAnswer = Pick<StoredAnswer, 'status' | 'body'>

export interface IdempotentRequest {
  actor: Actor
  /** What is asked for, of what: `send digest:7`. */
  action: string
  /** The same key gets the same answer and does nothing again. */
  idempotencyKey: string
  body: unknown
}

/**
 * Answers a request, or repeats the answer that its key got before. Call it in a transaction that has locked what the
 * request changes: of two requests under one key the second then waits, and finds the answer.
 * @throws DomainError `idempotency_key_reused`
 */
export async function answerIdempotently(
  stores: Stores,
  { actor, action, idempotencyKey, body }: IdempotentRequest,
  work: () => Promise<IdempotentAnswer>,
): Promise<IdempotentAnswer> {
  const scope = `${nameOfActor(actor)} ${action}`
  const requestSha256 = sha256(canonicalJson(body))
  const stored = await stores.idempotencyKeys.find(scope, idempotencyKey)
  if (stored) return requireSame(stored, requestSha256)
  const answer = await work()
  await stores.idempotencyKeys.insert(scope, idempotencyKey, { requestSha256, ...answer })
  return answer
}

function requireSame({ requestSha256, status, body }: StoredAnswer, asked: Buffer): IdempotentAnswer {
  if (requestSha256.equals(asked)) return { status, body }
  throw invalid(
    'idempotency_key_reused',
    'This Idempotency-Key answered another request: use a new key for a new request.',
  )
}
