import type { Digest } from '../domain/digest.ts'
import { withoutArticles } from '../domain/digest-content.ts'
import { newsletterPath, type Newsletter } from '../domain/newsletter.ts'
import { DomainError } from '../errors.ts'
import type { Parts } from './parts.ts'

const shown = 30

export interface ArchiveEntry {
  path: string
  subject: string
  at: Date
  headlines: string[]
}

/** What anyone may read of newsletters: their pages, and digests on the web. */
export function createArchiveService({ database, mail }: Pick<Parts, 'database' | 'mail'>) {
  const { stores } = database
  return {
    /** @throws DomainError `no_newsletter` */
    async newsletter(
      slug: string,
    ): Promise<{ newsletter: Newsletter; path: string; digests: ArchiveEntry[] }> {
      const newsletter = await stores.newsletters.getBySlug(slug)
      const digests = await stores.digests.listArchive(newsletter.id, shown)
      return { newsletter, path: newsletterPath(slug), digests: digests.map(toEntry) }
    },

    /**
     * The whole digest as a page, for everybody: nobody's links, and nothing that was withdrawn since.
     * @throws DomainError `no_digest`, also for one that no reader has
     */
    async webVersion(id: number): Promise<string> {
      const digest = await stores.digests.get(id)
      if (!digest.content || !(await stores.digests.isPublic(id))) {
        throw new DomainError('not_found', 'no_digest', 'There is no such digest.')
      }
      const ids = digest.content.articles.map((article) => article.id)
      const still = new Set((await stores.digestArticles.listByIds(ids)).map((article) => article.id))
      const gone = ids.filter((articleId) => !still.has(articleId))
      return mail.renderWeb(await mail.composeDigest(withoutArticles(digest.content, gone)))
    },
  }
}

const toEntry = ({ id, content, startedAt, createdAt }: Digest): ArchiveEntry => ({
  path: `/digests/${id}`,
  subject: content?.subject ?? '',
  at: startedAt ?? createdAt,
  // Most digests are called like their first story.
  headlines: (content?.articles ?? [])
    .map((article) => article.title)
    .filter((title) => title !== content?.subject)
    .slice(0, 3),
})
