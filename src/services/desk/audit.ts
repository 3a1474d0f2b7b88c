import { toPage, type Page, type PageRequest } from '../../domain/cursor.ts'
import type { StoredAuditEntry } from '../../store/desk/audit.ts'
import type { Parts } from '../parts.ts'

export type AuditService = ReturnType<typeof createAuditService>

export function createAuditService({ database }: Pick<Parts, 'database'>) {
  return {
    async list(request: PageRequest): Promise<Page<StoredAuditEntry>> {
      return toPage(await database.stores.audit.list(request), request.limit, (entry) => [entry.id])
    },
  }
}
