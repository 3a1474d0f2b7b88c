import { doesNotKnowUs } from '../domain/backend-address.ts'
import { explainDistrust, isDistrust } from '../domain/certificate.ts'
import { unavailable } from '../errors.ts'

/** SQLSTATE of what passes by itself: a lock or a statement that took too long, deadlocks, no connection left. */
const busy = new Set(['55P03', '57014', '40P01', '40001', '53300'])
/**
 * SQLSTATE and system errors of a server that is away, starting, stopping, or a standby, of one without disk or memory left,
 * of a pooler that has none, and of one that does not know us, as a standby that took over may not.
 */
const away = new Set([
  ...doesNotKnowUs,
  ...['53100', '53200'],
  ...['57P01', '57P02', '57P03', '25006', '08000', '08001', '08003', '08004', '08006', '08P01'],
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'ENOENT',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ETIMEDOUT',
    'EPIPE',
  ],
])
/** What pg says of a connection without giving it a code. */
const lost = /^(Connection terminated|Client has encountered a connection error|timeout expired)/
const noneFree = /^timeout exceeded when trying to connect/

/**
 * Rejects with what a caller can do with, where the database could not be asked: nothing was changed, and trying again
 * soon is all there is to do. Any other error stays what it is.
 * @throws DomainError `database_busy`, `database_away`
 */
export function failAsUnavailable(error: unknown): never {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (busy.has(code) || noneFree.test(message)) {
    const sentence = 'Others are at this, and it took too long; nothing was changed. Try again in a moment.'
    throw unavailable('database_busy', sentence, { cause: error, retryAfterSeconds: 5 })
  }
  if (away.has(code) || lost.test(message) || isDistrust(error)) {
    const sentence =
      'The database does not answer at the moment; nothing was changed by half. Try again soon.'
    const cause = isDistrust(error)
      ? new Error(explainDistrust(message, 'sslrootcert= behind DATABASE_URL'), { cause: error })
      : error
    throw unavailable('database_away', sentence, { cause, retryAfterSeconds: 10 })
  }
  throw error
}
