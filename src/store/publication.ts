import type { AmbiguousPolicy, Publication } from '../domain/publication.ts'
import type { Executor } from './executor.ts'

export function publicationStore(db: Executor) {
  return {
    /** Undefined until the first start has named it. */
    async find(): Promise<Publication | undefined> {
      const row = await db.selectFrom('publication').selectAll().executeTakeFirst()
      if (!row) return undefined
      return {
        name: row.name,
        description: row.description,
        languages: row.languages,
        zone: row.zone,
        locales: row.locales as Record<string, string>,
        deskName: row.deskName,
        postalAddress: row.postalAddress ?? undefined,
        contactEmail: row.contactEmail ?? undefined,
        policyUrl: row.policyUrl ?? undefined,
        policyVersion: row.policyVersion,
        ambiguousPolicy: row.ambiguousPolicy as AmbiguousPolicy,
      }
    },

    async put(publication: Publication): Promise<void> {
      const row = {
        ...publication,
        locales: JSON.stringify(publication.locales),
        postalAddress: publication.postalAddress ?? null,
        contactEmail: publication.contactEmail ?? null,
        policyUrl: publication.policyUrl ?? null,
        updatedAt: new Date(),
      }
      await db
        .insertInto('publication')
        .values(row)
        .onConflict((conflict) => conflict.column('onlyRow').doUpdateSet(row))
        .execute()
    },
  }
}
