import { isDeepStrictEqual } from 'node:util'
import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import type { AuditFilter, StoredAuditEntry } from '../../store/desk/audit.ts'
import type { Parts } from '../parts.ts'

/** What a change has changed, for the audit log: `four-eyes → none`. */
export const changesBetween = (before: object, after: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(after).flatMap(([field, value]) => {
      const was: unknown = before[field as keyof typeof before]
      const [old, now] = [was, value as unknown].map(asText)
      return old === now || isDeepStrictEqual(was, value) ? [] : [[field, `${old} → ${now}`]]
    }),
  )

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : value == null ? '–' : JSON.stringify(value)

export function createAuditService({ database }: Pick<Parts, 'database'>) {
  return {
    async list(request: PageRequest, filter: AuditFilter = {}): Promise<Page<StoredAuditEntry>> {
      const entries = await database.stores.audit.list({ ...request, ...filter })
      return toPage(entries, request.limit, (entry) => [entry.id])
    },

    /** What the log may be filtered by, and what people know whoever stands in it by. */
    async describe() {
      const { audit } = database.stores
      return { ...(await audit.listKinds()), names: await audit.listNames() }
    },
  }
}
