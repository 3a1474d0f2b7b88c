import type { AmbiguousPolicy, FeedText, Links, Publication } from '../../domain/publication.ts'
import type { Executor } from '../executor.ts'

export function publicationStore(db: Executor) {
  return {
    async get(): Promise<Publication> {
      const row = await db.selectFrom('publication').selectAll().executeTakeFirstOrThrow()
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
        links: row.links as Links,
        feedText: (row.feedText as FeedText | null) ?? undefined,
      }
    },

    /** Until the transaction ends nobody else changes it. */
    async lock(): Promise<void> {
      await db.selectFrom('publication').select('onlyRow').forUpdate().execute()
    },

    async update(publication: Publication): Promise<void> {
      const row = {
        ...publication,
        locales: JSON.stringify(publication.locales),
        postalAddress: publication.postalAddress ?? null,
        contactEmail: publication.contactEmail ?? null,
        policyUrl: publication.policyUrl ?? null,
        feedText: publication.feedText ?? null,
        updatedAt: new Date(),
      }
      await db.updateTable('publication').set(row).execute()
    },
  }
}
