import { firstInstantOf, localTimeOf } from '../../domain/calendar.ts'
import {
  digestActions,
  isExpired,
  isLetter,
  isWritten,
  mayApprove,
  mayDo,
} from '../../domain/digests/digest.ts'
import type { DeliveryState } from '../../domain/delivery/delivery.ts'
import type { Actor } from '../../domain/editor.ts'
import { isResting, newsletterPath, runningSchedules, type Newsletter } from '../../domain/newsletter.ts'
import type { PageRequest } from '../../domain/cursor.ts'
import { DomainError } from '../../errors.ts'
import { whoIs } from '../desk/who-is.ts'
import { type DigestPreviewService, clipBytes } from './preview.ts'
import type { DigestProgressService } from './progress.ts'
import type { DigestTransitionsService } from './transitions.ts'
import type { DraftService } from './refresh-drafts.ts'
import type { ArticleStep } from './article-steps.ts'
import type { DigestService } from './editing.ts'
import type { Parts } from '../parts.ts'
import type { ReportService } from './reports.ts'
import type { DoubtService } from './doubts.ts'

interface Siblings {
  drafts: Pick<DraftService, 'get'>
  digests: Pick<DigestService, 'show' | 'change' | 'reorder' | 'applyStep'>
  digestTransitions: Pick<DigestTransitionsService, 'schedule'>
  digestPreview: Pick<DigestPreviewService, 'show'>
  digestProgress: Pick<DigestProgressService, 'measure' | 'listDeliveries' | 'findExplanation'>
  reports: Pick<ReportService, 'ofDigest'>
  doubts: Pick<DoubtService, 'count'>
}

interface Wish {
  actor: Actor
  deliveries: { state: DeliveryState | undefined; page: PageRequest }
  /** An address. */
  explain: string | undefined
  /** Words of a title, to add a story. */
  find: string | undefined
}

/** What an editor did on a page that showed a version of the digest. */
interface Seen {
  version: number
  actor: Actor
}

/** Everything the desk's page of one digest shows. */
export function createDigestPageService(parts: Pick<Parts, 'config' | 'database' | 'now'> & Siblings) {
  const { database, now, drafts, digests, digestPreview, digestProgress, digestTransitions } = parts
  const { reports, doubts } = parts

  /** Where the newsletter lives; one without a schedule lives where the publication does. */
  const zoneOf = async (newsletter: Newsletter): Promise<string> =>
    runningSchedules(newsletter)[0]?.zone ?? (await database.stores.publication.get()).zone

  const find = (words: string, language: string, except: string[]) =>
    database.stores.digestArticles.listByTitle(words, { language, except })

  /** Where a letter may be copied to, those of its language first. */
  const listOthers = async ({ id, language }: Newsletter): Promise<Newsletter[]> =>
    (await database.stores.newsletters.list())
      .filter((one) => one.id !== id && !isResting(one))
      .sort((a, b) => Number(b.language === language) - Number(a.language === language))

  return {
    async get(id: number, wish: Wish) {
      const draft = await drafts.get(id)
      const { digest: stored, newsletter } = draft
      const digest = await digests.show(draft)
      const isApproved =
        digest.approval.rule === 'none' || digest.state === 'approved' || digest.state === 'scheduled'
      const isPrepared = stored.startedAt !== null
      const progress = isPrepared ? await digestProgress.measure(stored) : undefined
      const zone = await zoneOf(newsletter)
      const shown = [...digest.articles.map((article) => article.externalId), ...digest.excluded]
      const preview =
        digest.articles.length > 0 || isLetter(stored)
          ? await digestPreview.show(draft, { format: 'html' })
          : undefined
      return {
        digest,
        newsletter: { ...newsletter, path: newsletterPath(newsletter.slug) },
        may: Object.fromEntries(digestActions.map((action) => [action, mayDo(stored, action)])),
        /** Whether it could be sent. */
        isFilled: isWritten(stored),
        copyTargets: isLetter(stored) ? await listOthers(newsletter) : [],
        isApproved,
        mayApprove: mayApprove(stored, newsletter.approval, wish.actor),
        approvedBy: digest.approval.approvedBy
          ? await whoIs(database.stores, digest.approval.approvedBy)
          : undefined,
        isPrepared,
        isLate: isExpired(stored, now()),
        size: preview && { bytes: preview.bytes, percent: Math.round((100 * preview.bytes) / clipBytes) },
        ownSubject: stored.subject,
        excluded: await database.stores.articles.listByIds(stored.excluded),
        shownSubject: preview?.subject ?? digest.subject,
        progress,
        deliveries: isPrepared
          ? await digestProgress.listDeliveries(id, wish.deliveries.state, wish.deliveries.page)
          : undefined,
        report: isPrepared ? await reports.ofDigest(id) : null,
        hasNoDetails: stored.detailsEndedAt !== null,
        retentionDays: parts.config.retentionDays,
        undecided: progress?.counts.uncertain ? await doubts.count(id) : 0,
        explained: wish.explain ? await digestProgress.findExplanation(wish.explain, id) : undefined,
        explainAddress: wish.explain,
        schedule: {
          zone,
          at: stored.sendAt && localTimeOf(stored.sendAt, zone),
          from: localTimeOf(now(), zone),
        },
        find: wish.find,
        found: wish.find ? await find(wish.find, newsletter.language, shown) : undefined,
        colleagues: (await database.stores.editors.list()).map(({ email }) => email),
        hasOlderWorker: isLetter(stored) && (await database.stores.workers.areOlderAlive('letters')),
        hasWorker: (await database.stores.workers.countAlive()) > 0,
      }
    },

    /** @returns false, with nothing changed, where the digest is no longer what the page showed */
    saveTexts: async (
      id: number,
      texts: { subject: string; preheader: string; intro: string },
      { version, actor }: Seen,
    ): Promise<boolean> => {
      const { subject, preheader, intro } = texts
      const change = { intro, subject: subject || null, preheader: preheader || null }
      return (await unlessChanged(digests.change(id, change, version, actor))) !== undefined
    },

    /** @returns `changed` as `saveTexts` says false; `not_shown` where every reader has a pinned article already */
    async applyStep(
      id: number,
      { article, step }: { article: string; step: ArticleStep },
      { version, actor }: Seen,
    ): Promise<'moved' | 'changed' | 'not_shown'> {
      const moved = await unlessChanged(digests.applyStep(id, { article, step }, version, actor))
      if (!moved) return 'changed'
      const isShown = moved.articles.some(({ externalId }) => externalId === article)
      return step === 'pin' && !isShown ? 'not_shown' : 'moved'
    },

    /** @returns as `saveTexts` */
    saveOrder: async (id: number, externalIds: string[], { version, actor }: Seen): Promise<boolean> =>
      (await unlessChanged(digests.reorder(id, externalIds, version, actor))) !== undefined,

    /**
     * @param at date and time as clocks show them where the newsletter lives: `2026-03-29T07:00`
     * @returns as `saveTexts`
     * @throws DomainError as `digestTransitions.schedule`
     */
    async schedule(id: number, at: string, { version, actor }: Seen): Promise<boolean> {
      const { newsletterId } = await database.stores.digests.get(id)
      const zone = await zoneOf(await database.stores.newsletters.get(newsletterId))
      const sendAt = new Date(firstInstantOf(Date.parse(`${at}:00Z`), zone))
      return (await unlessChanged(digestTransitions.schedule(id, { sendAt, version }, actor))) !== undefined
    },
  }
}

const unlessChanged = <Changed>(change: Promise<Changed>): Promise<Changed | undefined> =>
  change.catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'version_changed') return undefined
    throw error
  })
