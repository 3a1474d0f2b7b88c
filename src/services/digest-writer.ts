import type { Skeleton } from '../mail/mail.ts'
import type { Parts } from './parts.ts'
import type { SubscriptionLinks } from './subscription-links.ts'
import type { DigestWriter } from './writers.ts'

/** Variants of one digest in memory: each is about as large as its mail. */
const maxSkeletons = 200

type DigestWriterParts = Pick<Parts, 'database' | 'mail' | 'signer' | 'now'> & { links: SubscriptionLinks }

/** From a claimed delivery to signed bytes. Links are made here, for this message; none is stored. */
export function createDigestWriter({ database, mail, signer, links, now }: DigestWriterParts): DigestWriter {
  return async (digestId) => {
    const { content, newsletterId } = await database.stores.digests.get(digestId)
    if (!content) throw new Error('a digest that is being sent has no content')
    const composed = await mail.composeDigest(content)
    const skeletons = new Map<string, Skeleton>()
    const skeletonOf = (articleIds: readonly number[]): Skeleton => {
      const key = articleIds.join()
      const skeleton = skeletons.get(key) ?? mail.assembleVariant(composed, articleIds)
      if (skeletons.size >= maxSkeletons) skeletons.clear()
      skeletons.set(key, skeleton)
      return skeleton
    }
    return async ({ key: subscriberId, address, articleIds }) => {
      const reference = { kind: 'digest', digestId, subscriberId } as const
      const message = mail.personalise(skeletonOf(articleIds), {
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
