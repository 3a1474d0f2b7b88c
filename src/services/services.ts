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
import { createDraftService } from './drafts.ts'
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
import { createProviderEventService } from './provider-events.ts'
import { createProviderService } from './providers.ts'
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
  const forReaders = { ...parts, database: parts.readers }
  const presence = createPresence(parts)
  const bounces = createBounceService(parts)
  const editors = createEditorService(parts)
  const subscriptionLinks = createSubscriptionLinks(forReaders)
  const writers = parts.writers ?? {
    mail: createPersonalWriter({ ...parts, links: subscriptionLinks, editors }),
    digest: createDigestWriter({ ...parts, links: subscriptionLinks }),
  }
  const sending = createSendingService({ ...parts, presence, writers, bounces })
  const publication = createPublicationService(forReaders)
  const drafts = createDraftService(parts)
  const digests = createDigestService({ ...parts, drafts })
  const digestSending = createDigestSendingService(parts)
  const feeds = createFeedService(forReaders)
  const digestProgress = createDigestProgressService(parts)
  const digestPreview = createDigestPreviewService({ ...parts, drafts })
  const uncertain = createUncertainService({ ...parts, digestSending })
  const schedules = createScheduleService({ ...parts, digests, digestSending })
  return {
    publication,
    articles: createArticleService(parts),
    responses: createResponseService(parts),
    selections: createSelectionService(parts),
    views: createViewService(forReaders),
    feeds,
    feedDirectory: createFeedDirectory(forReaders),
    feedMemory: createFeedMemory(forReaders, feeds),
    feedMoves: createFeedMoveService({ ...parts, feeds }),
    feedPolls: createFeedPolls(forReaders),
    newsletters: createNewsletterService(parts),
    drafts,
    digests,
    digestSending,
    digestProgress,
    archive: createArchiveService(forReaders),
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
    health: createHealthService({ ...parts, presence }),
    digestNumbers: createDigestNumbersService(parts),
    bounces,
    providers: createProviderService(parts),
    providerEvents: createProviderEventService({ ...parts, bounces }),
    deliverability: createDeliverabilityService(parts),
    subscriptionLinks,
    presence,
    sending,
    reconciling: createReconcilingService({ ...parts, sending }),
    restoring: createRestoringService({ ...parts, sending }),
    site: createSiteService(forReaders),
    oldAddresses: createOldAddressService(forReaders),
    signups: createSignupService({ ...forReaders, publications: publication }),
    signupDecisions: createSignupDecisionService(parts),
    activations: createActivationService(forReaders),
    subscriptions: createSubscriptionService(forReaders),
    preferences: createPreferencesService(forReaders),
    welcome: createWelcomeService(forReaders),
    subscribers: createSubscriberService(parts),
    imports: createImportService(parts),
    suppressions: createSuppressionService(parts),
  }
}

export type Services = ReturnType<typeof createServices>
