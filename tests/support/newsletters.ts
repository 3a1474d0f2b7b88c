import type { Newsletter } from '../../src/domain/newsletter.ts'
import type { Database } from '../../src/store/database.ts'
import type { NewNewsletter } from '../../src/store/newsletters/newsletters.ts'

let made = 0

/** A newsletter in the store: French, daily at 07:00 in Algiers and alerts, every article, without approval. */
export async function aNewsletter(
  database: Database,
  change: Partial<NewNewsletter> = {},
): Promise<Newsletter> {
  made += 1
  const newsletter = await database.transaction((stores) =>
    stores.newsletters.insert({
      slug: `le-matin-${made}`,
      name: 'Le Matin du Rivage',
      description: '',
      language: 'fr',
      sections: [],
      dossiers: [],
      tags: [],
      blocks: [],
      minArticles: 1,
      maxArticles: 12,
      subject: null,
      approval: 'none',
      repeats: 'never',
      cadences: [{ cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' }, { cadence: 'alert' }],
      from: null,
      replyTo: null,
      welcome: null,
      template: 'digest',
      linkTags: false,
      state: 'public',
      position: 0,
      beganAt: new Date('2000-01-01T00:00:00Z'),
      ...change,
    }),
  )
  if (!newsletter) throw new Error('that slug is taken')
  return newsletter
}
