import type { Publication } from '../../domain/publication.ts'
import type { Executor } from '../executor.ts'

export function publicationStore(db: Executor) {
  return {
    async get(): Promise<Publication> {
      const {
        onlyRow: _o,
        updatedAt: _u,
        ...row
      } = await db
        .selectFrom('publication')
        .selectAll()
        .$narrowType<Pick<Publication, 'ambiguousPolicy' | 'links' | 'feedText'>>()
        .executeTakeFirstOrThrow()
      return { ...row, locales: row.locales as Publication['locales'] }
    },

    /** Until the transaction ends nobody else changes it. */
    async lock(): Promise<void> {
      await db.selectFrom('publication').select('onlyRow').forUpdate().execute()
    },

    async update(publication: Publication): Promise<void> {
      await db
        .updateTable('publication')
        .set({ ...publication, locales: JSON.stringify(publication.locales), updatedAt: new Date() })
        .execute()
    },
  }
}
