import type { Newsletter } from '../../domain/newsletter.ts'
import type { Stores } from '../../store/stores.ts'

/** The newsletter's own words for somebody who has just subscribed, once each, where it has any. */
export async function welcomeReader(tx: Stores, newsletter: Newsletter, subscriberId: number): Promise<void> {
  if (newsletter.welcome === null) return
  await tx.outbox.insert({
    kind: 'welcome',
    subscriberId,
    language: newsletter.language,
    payload: { newsletter: newsletter.slug },
    dedupeKey: `welcome:${newsletter.id}:${subscriberId}`,
  })
}
