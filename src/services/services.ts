import { createNewsletterService } from './newsletters.ts'
import { createArchiveService } from './archive.ts'
import { createArticleService } from './articles.ts'
import { createBounceService } from './bounces.ts'
import { createDeliverabilityService } from './deliverability.ts'
import { createAuditService } from './audit.ts'
import { createDigestNumbersService } from './digest-numbers.ts'
import { createDigestPageService } from './digest-page.ts'
import { createDigestPreviewService } from './digest-preview.ts'
import { createDigestProgressService } from './digest-progress.ts'
import { createDigestSendingService } from './digest-sending.ts'
import { createDigestService } from './digests.ts'
import { createDigestWriter } from './digest-writer.ts'
import { createEditorService } from './editors.ts'
import { createHealthService } from './health.ts'
import { createImportService } from './imports.ts'
import { createFeedDirectory } from './feed-directory.ts'
import { createFeedMemory } from './feed-memory.ts'
import { createFeedMoveService } from './feed-moves.ts'
import { createFeedPolls } from './feed-polls.ts'
import { createFeedService } from './feeds.ts'
import { createKeyService } from './keys.ts'
import type { Parts } from './parts.ts'
import { createPersonalWriter } from './personal-writer.ts'
import { createPresence } from './presence.ts'
import { createPublicationService } from './publication.ts'
import { createReconcilingService } from './reconciling.ts'
import { createRestoringService } from './restoring.ts'
import { createSendingService } from './sending.ts'
import { createScheduleService } from './schedules.ts'
import { createSubscriptionLinks } from './subscription-links.ts'
import { createResponseService } from './responses.ts'
import { createSelectionService } from './selections.ts'
import { createTodayService } from './today.ts'
import { createUncertainService } from './uncertain.ts'
import { createViewService } from './views.ts'
import { createOldAddressService } from './old-addresses.ts'
import { createSiteService } from './site.ts'
import { createActivationService } from './activations.ts'
import { createPreferencesService } from './preferences.ts'
import { createSignupDecisionService } from './signup-decisions.ts'
import { createSignupService } from './signups.ts'
import { createSubscriberService } from './subscribers.ts'
import { createSubscriptionService } from './subscriptions.ts'
import { createSuppressionService } from './suppressions.ts'
import { createWelcomeService } from './welcome.ts'

export function createServices(parts: Parts) {
  const presence = createPresence(parts)
  const bounces = createBounceService(parts)
  const editors = createEditorService(parts)
  const subscriptionLinks = createSubscriptionLinks(parts)
  const writers = parts.writers ?? {
    mail: createPersonalWriter({ ...parts, links: subscriptionLinks, editors }),
    digest: createDigestWriter({ ...parts, links: subscriptionLinks }),
  }
  const sending = createSendingService({ ...parts, presence, writers, bounces })
  const publication = createPublicationService(parts)
  const digests = createDigestService(parts)
  const digestSending = createDigestSendingService(parts)
  const feeds = createFeedService(parts)
  const digestProgress = createDigestProgressService(parts)
  const digestPreview = createDigestPreviewService(parts)
  const uncertain = createUncertainService({ ...parts, digestSending })
  const schedules = createScheduleService({ ...parts, digests, digestSending })
  return {
    publication,
    articles: createArticleService(parts),
    responses: createResponseService(parts),
    selections: createSelectionService(parts),
    views: createViewService(parts),
    feeds,
    feedDirectory: createFeedDirectory(parts),
    feedMemory: createFeedMemory(parts, feeds),
    feedMoves: createFeedMoveService({ ...parts, feeds }),
    feedPolls: createFeedPolls(parts),
    newsletters: createNewsletterService(parts),
    digests,
    digestSending,
    digestProgress,
    archive: createArchiveService(parts),
    digestPreview,
    uncertain,
    digestPage: createDigestPageService({
      ...parts,
      digests,
      digestPreview,
      digestProgress,
      digestSending,
      uncertain,
    }),
    schedules,
    today: createTodayService({ ...parts, digests, schedules }),
    editors,
    keys: createKeyService(parts),
    audit: createAuditService(parts),
    health: createHealthService(parts),
    digestNumbers: createDigestNumbersService(parts),
    bounces,
    deliverability: createDeliverabilityService(parts),
    subscriptionLinks,
    presence,
    sending,
    reconciling: createReconcilingService({ ...parts, sending }),
    restoring: createRestoringService({ ...parts, sending }),
    site: createSiteService(parts),
    oldAddresses: createOldAddressService(parts),
    signups: createSignupService({ ...parts, publications: publication }),
    signupDecisions: createSignupDecisionService(parts),
    activations: createActivationService(parts),
    subscriptions: createSubscriptionService(parts),
    preferences: createPreferencesService(parts),
    welcome: createWelcomeService(parts),
    subscribers: createSubscriberService(parts),
    imports: createImportService(parts),
    suppressions: createSuppressionService(parts),
  }
}

export type Services = ReturnType<typeof createServices>
