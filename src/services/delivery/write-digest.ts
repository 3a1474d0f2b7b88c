import { LRUCache } from 'lru-cache'
import { asSent } from '../../domain/digests/digest.ts'
import { withoutArticles, type GoneArticle } from '../../domain/digests/digest-variant.ts'
import type { Skeleton } from '../../mail/mail.ts'
import type { Parts } from '../parts.ts'
import type { SubscriptionLinks } from '../subscribers/links.ts'
import type { DigestWriter } from './send-one.ts'

/** Variants of one digest in memory: each is about as large as its mail. */
const maxSkeletons = 200

/** How often a digest is asked for withdrawn articles, whose headlines leave its words. Their texts are stopped at the final dot. */
const withdrawalMs = 250

type DigestWriterParts = Pick<Parts, 'database' | 'mail' | 'signer' | 'now'> & { links: SubscriptionLinks }

/** From a claimed delivery to signed bytes. Links are made here, for this message; none is stored. */
export function createDigestWriter({ database, mail, signer, links, now }: DigestWriterParts): DigestWriter {
  return async (digestId) => {
    const digest = await database.stores.digests.get(digestId)
    if (!digest.content) throw new Error('a digest that is being sent has no content')
    const { newsletterId } = digest
    const content = asSent(digest.content, digest, now())
    const providers = await database.stores.providers.listNames()
    const composed = async (gone: readonly GoneArticle[]) => ({
      parts: await mail.composeDigest(withoutArticles(content, gone)),
      gone: gone.map(({ id }) => id).join(),
      skeletons: new LRUCache<string, Skeleton>({ max: maxSkeletons }),
    })
    let latest = await composed([])
    let lookedAt = -Infinity
    /** The digest as it may be sent now: with an article, its headline leaves the words of every variant. */
    const compose = async () => {
      if (performance.now() - lookedAt < withdrawalMs) return latest
      lookedAt = performance.now()
      const gone = await database.stores.digestArticles.listGone([content])
      if (gone.map(({ id }) => id).join() !== latest.gone) latest = await composed(gone)
      return latest
    }
    const skeletonOf = async (articleIds: readonly number[]): Promise<Skeleton> => {
      const { parts, skeletons } = await compose()
      const key = articleIds.join()
      const skeleton = skeletons.get(key) ?? mail.assembleVariant(parts, articleIds, { providers })
      skeletons.set(key, skeleton)
      return skeleton
    }
    return async ({ key: subscriberId, address, articleIds }) => {
      const reference = { kind: 'digest', digestId, subscriberId } as const
      const message = mail.personalise(await skeletonOf(articleIds), {
        to: address,
        messageId: mail.messageId(reference, content.newsletter),
        date: now(),
        unsubscribeUrl: links.unsubscribeUrl({ subscriberId, newsletterId, digestId }),
        unsubscribeMailto: mail.unsubscribeMailto(reference),
        preferencesUrl: links.preferencesUrl(subscriberId),
      })
      return {
        from: mail.returnPath(reference, content.newsletter),
        envelopeId: mail.envelopeId(reference),
        message: await signer.sign(message),
      }
    }
  }
}
