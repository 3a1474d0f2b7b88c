import { mayDo, type DigestAction } from '../domain/digest.ts'
import type { DeliveryState } from '../domain/delivery.ts'
import { newsletterPath } from '../domain/newsletter.ts'
import type { PageRequest } from '../domain/cursor.ts'
import type { DigestPreviewService } from './digest-preview.ts'
import { clipBytes } from './digest-preview.ts'
import type { DigestProgressService } from './digest-progress.ts'
import type { DigestService } from './digests.ts'
import type { Parts } from './parts.ts'

interface Siblings {
  digests: Pick<DigestService, 'get'>
  digestPreview: Pick<DigestPreviewService, 'get'>
  digestProgress: Pick<DigestProgressService, 'get' | 'listDeliveries' | 'findExplanation'>
}

interface Wish {
  deliveries: { state: DeliveryState | undefined; page: PageRequest }
  /** An address. */
  explain: string | undefined
}

const actions: DigestAction[] = ['change', 'test', 'approve', 'send', 'pause', 'resume', 'cancel']

/** Everything the desk's page of one digest shows. */
export function createDigestPageService(parts: Pick<Parts, 'database'> & Siblings) {
  const { database, digests, digestPreview, digestProgress } = parts
  return {
    async get(id: number, wish: Wish) {
      const digest = await digests.get(id)
      const newsletter = await database.stores.newsletters.getBySlug(digest.newsletter)
      const isApproved =
        digest.approval.rule === 'none' || digest.state === 'approved' || digest.state === 'scheduled'
      const isPrepared = digest.startedAt !== null
      const preview = digest.articles.length > 0 ? await digestPreview.get(id, { format: 'html' }) : undefined
      return {
        digest,
        newsletter: { ...newsletter, path: newsletterPath(newsletter.slug) },
        may: Object.fromEntries(actions.map((action) => [action, mayDo(digest, action)])),
        isApproved,
        isPrepared,
        size: preview && { bytes: preview.bytes, percent: Math.round((100 * preview.bytes) / clipBytes) },
        ownSubject: (await database.stores.digests.get(id)).subject,
        shownSubject: preview?.subject ?? digest.subject,
        progress: isPrepared ? await digestProgress.get(id) : undefined,
        deliveries: isPrepared
          ? await digestProgress.listDeliveries(id, wish.deliveries.state, wish.deliveries.page)
          : undefined,
        explained: wish.explain ? await digestProgress.findExplanation(wish.explain, id) : undefined,
        explainAddress: wish.explain,
        hasWorker: (await database.stores.workers.countAlive()) > 0,
      }
    },
  }
}
