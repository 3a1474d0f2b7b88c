import { asSent, type Digest } from '../../domain/digests/digest.ts'
import { withoutArticles } from '../../domain/digests/digest-variant.ts'
import { newsletterPath } from '../../domain/newsletter.ts'
import { notFound } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'

const shown = 30

/** What anyone may read of newsletters: their pages, and digests on the web. */
export function createArchiveService({ database, mail, now }: Pick<Parts, 'database' | 'mail' | 'now'>) {
  const { stores } = database
  const getPublic = async (id: number) => {
    const digest = await stores.digests.get(id)
    if (!digest.content || !(await stores.digests.isPublic(id))) {
      throw notFound('no_digest', 'There is no such digest.')
    }
    const gone = await stores.digestArticles.listGone([digest.content])
    return { ...digest, content: asSent(withoutArticles(digest.content, gone), digest, now()) }
  }
  return {
    /** Which of its newsletter's it is, too, the first being 1. @throws DomainError `no_digest`, also for one that no reader has */
    async digest(id: number) {
      const digest = await getPublic(id)
      return { ...digest, number: await stores.digests.countUpTo(digest) }
    },

    /** The newest of a newsletter's. @throws DomainError `no_newsletter`, `no_digest` */
    async latest(slug: string): Promise<number> {
      const newsletter = await stores.newsletters.getBySlug(slug)
      const [newest] = await stores.digests.listArchive(newsletter.id, 1)
      if (!newest) throw notFound('no_digest', 'No digest of this newsletter has come out yet.')
      return newest.id
    },

    /** @throws DomainError `no_newsletter` */
    async newsletter(slug: string) {
      const newsletter = await stores.newsletters.getBySlug(slug)
      const digests = await listArchive(stores, newsletter.id, shown)
      return { newsletter, path: newsletterPath(slug), digests: digests.map(toEntry) }
    },

    /**
     * The whole digest as a page, for everybody: nobody's links, and nothing that was withdrawn since.
     * @throws DomainError `no_digest`, also for one that no reader has
     */
    async webVersion(id: number) {
      const { content } = await getPublic(id)
      const { subject, newsletter } = content
      return { ...mail.renderWeb(await mail.composeDigest(content)), subject, newsletter }
    },
  }
}

/** The digests that readers of a newsletter got, newest first, as they may be shown today: without what was withdrawn. */
export async function listArchive(stores: Stores, newsletterId: number, limit: number): Promise<Digest[]> {
  const digests = await stores.digests.listArchive(newsletterId, limit)
  const gone = await stores.digestArticles.listGone(digests.flatMap(({ content }) => content ?? []))
  return digests.map((digest) =>
    digest.content ? { ...digest, content: withoutArticles(digest.content, gone) } : digest,
  )
}

const toEntry = ({ id, content, startedAt, createdAt }: Digest) => ({
  path: `/digests/${id}`,
  subject: content?.subject ?? '',
  at: startedAt ?? createdAt,
  // Most digests are called like their first story.
  headlines: (content?.articles ?? [])
    .map((article) => article.title)
    .filter((title) => title !== content?.subject)
    .slice(0, 3),
})
