import { createHash } from 'node:crypto'
import { z } from 'zod'
import { preconditionFailed } from '../errors.ts'
import type { FormAtFault } from './desk.ts'

const hashOf = (shown: unknown): string =>
  createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 22)

/**
 * What a form is filled from, in few characters: its hidden field `version`. Shown again for another fault it keeps
 * the one it had: what others have saved since is still unseen.
 */
export function formVersion(shown: unknown, { typed, faults }: Partial<FormAtFault> = {}): string {
  const had = typed?.['version']
  return typeof had === 'string' && !faults?.includes('version') ? had : hashOf(shown)
}

const carried = z.object({ version: z.string().optional() })

/**
 * Of two who save the same form at once the second is shown it once more, as they filled it in.
 * @throws DomainError `version_changed`
 */
export function requireFormVersion(body: unknown, shown: unknown): void {
  const { version } = carried.parse(body)
  if (version === undefined || version === hashOf(shown)) return
  const sentence = 'Somebody saved this while you were writing: look at it again, then decide.'
  throw preconditionFailed('version_changed', sentence, { field: 'version' })
}
