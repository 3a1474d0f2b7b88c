import { createArchiveService } from './digests/archive.ts'
import { createViewService } from './articles/article-views.ts'
import { createArticleService } from './articles/articles.ts'
import { createOldAddressService } from './articles/old-addresses.ts'
import { createResponseService } from './responses/responses.ts'
import { createTrackbackService } from './responses/trackbacks.ts'
import { createWrittenResponseService } from './responses/written-responses.ts'
import { createPickService } from './articles/picks.ts'
import { createSelectionService } from './articles/selections.ts'
import { createStoryPreviewService } from './articles/story-preview.ts'
import { createSiteService } from './articles/site.ts'
import { createBounceService } from './deliverability/bounces.ts'
import { createDeliverabilityService } from './deliverability/deliverability.ts'
import { createProviderEventService } from './deliverability/provider-events.ts'
import { createProviderService } from './deliverability/providers.ts'
import { createSuppressionService } from './deliverability/suppressions.ts'
import { createSendingService } from './delivery/delivery.ts'
import { createReconcilingService } from './reconcile.ts'
import { createRestoredCopyService } from './delivery/restored-copy.ts'
import { createPresence } from './delivery/presence.ts'
import { createDigestWriter } from './delivery/write-digest.ts'
import { createPersonalWriter } from './delivery/write-personal.ts'
import { createAuditService } from './desk/audit.ts'
import { createEditorService } from './desk/editors.ts'
import { createSignInService } from './desk/sign-in.ts'
import { createHealthService } from './health.ts'
import { createInvitationService } from './desk/invitations.ts'
import { createKeyService } from './desk/keys.ts'
import { createPublicationService } from './desk/publication.ts'
import { createSampleService } from './desk/sample.ts'
import { createDigestPageService } from './digests/desk-page.ts'
import { createDoubtService } from './digests/doubts.ts'
import { createDraftService } from './digests/refresh-drafts.ts'
import { createDigestService } from './digests/editing.ts'
import { createRetentionService } from './retention.ts'
import { createUpkeepService } from './upkeep.ts'
import { createDigestNumbersService } from './digests/numbers.ts'
import { createDigestPreviewService } from './digests/preview.ts'
import { createPrepareService } from './digests/prepare.ts'
import { createDigestProgressService } from './digests/progress.ts'
import { createReportService } from './digests/reports.ts'
import { createScheduleService } from './digests/schedule.ts'
import { createTodayService } from './desk/today.ts'
import { createDigestTransitionsService } from './digests/transitions.ts'
import { createEditionService } from './editions/editions.ts'
import { createFeedDirectory } from './feeds/directory.ts'
import { createFeedService } from './feeds/feeds.ts'
import { createFeedMemory } from './feeds/memory.ts'
import { createFeedMoveService } from './feeds/moves.ts'
import { createFeedPolls } from './feeds/polls.ts'
import { createSitemapService } from './feeds/sitemap.ts'
import { createMediaService } from './media/media.ts'
import { createNewsletterService } from './newsletters/newsletters.ts'
import type { Parts } from './parts.ts'
import { createActivationService } from './signups/activate.ts'
import { createSignupDecisionService } from './signups/decide.ts'
import { createSignupService } from './signups/request.ts'
import { createExpectationService } from './signups/expectations.ts'
import { createSourceService } from './sources/sources.ts'
import { createSourceSyncService } from './sources/sync.ts'
import { createImportService } from './subscribers/import/jobs.ts'
import { createSubscriptionLinks } from './subscribers/links.ts'
import { createPreferencesService } from './subscribers/preferences.ts'
import { createSubscriberService } from './subscribers/subscribers.ts'
import { createSubscriptionService } from './subscribers/subscriptions.ts'

export function createServices(parts: Parts) {
  const forReaders = { ...parts, database: parts.readers }
  const presence = createPresence(parts)
  const bounces = createBounceService(parts)
  const signIn = createSignInService(parts)
  const invitations = createInvitationService(parts)
  const subscriptionLinks = createSubscriptionLinks(forReaders)
  const expectations = createExpectationService(forReaders)
  const writers = parts.writers ?? {
    mail: createPersonalWriter({ ...parts, links: subscriptionLinks, signIn, invitations, expectations }),
    digest: createDigestWriter({ ...parts, links: subscriptionLinks }),
  }
  const sending = createSendingService({ ...parts, presence, writers, bounces })
  const publication = createPublicationService(forReaders)
  const signups = createSignupService({ ...forReaders, publications: publication })
  const oldAddresses = createOldAddressService(forReaders)
  const writtenResponses = createWrittenResponseService({ ...forReaders, publications: publication, signups })
  const drafts = createDraftService(parts)
  const digests = createDigestService({ ...parts, drafts })
  const digestTransitions = createDigestTransitionsService(parts)
  const feeds = createFeedService(forReaders)
  const digestProgress = createDigestProgressService(parts)
  const digestPreview = createDigestPreviewService({ ...parts, drafts })
  const reports = createReportService(parts)
  const doubts = createDoubtService({ ...parts, digestTransitions })
  const site = createSiteService(forReaders)
  const archive = createArchiveService(forReaders)
  const schedules = createScheduleService({ ...parts, digests, digestTransitions })
  return {
    publication,
    articles: createArticleService(parts),
    responses: createResponseService(parts),
    writtenResponses,
    trackbacks: createTrackbackService({
      ...forReaders,
      publications: publication,
      oldAddresses,
      writtenResponses,
    }),
    picks: createPickService(parts),
    selections: createSelectionService(parts),
    views: createViewService(forReaders),
    feeds,
    feedDirectory: createFeedDirectory(forReaders),
    sitemap: createSitemapService(forReaders),
    feedMemory: createFeedMemory(forReaders, feeds),
    feedMoves: createFeedMoveService({ ...parts, feeds }),
    feedPolls: createFeedPolls(forReaders),
    media: createMediaService(parts),
    newsletters: createNewsletterService(parts),
    drafts,
    digests,
    digestTransitions,
    preparing: createPrepareService({ ...parts, digestTransitions }),
    digestProgress,
    reports,
    archive,
    editions: createEditionService({ ...forReaders, site, archive }),
    digestPreview,
    doubts,
    digestPage: createDigestPageService({
      ...parts,
      drafts,
      digests,
      digestPreview,
      digestProgress,
      digestTransitions,
      reports,
      doubts,
    }),
    schedules,
    today: createTodayService({ ...parts, digests, schedules }),
    editors: createEditorService(parts),
    signIn,
    invitations,
    keys: createKeyService(parts),
    sample: createSampleService(parts),
    audit: createAuditService(parts),
    health: createHealthService({ ...parts, presence }),
    digestNumbers: createDigestNumbersService(parts),
    retention: createRetentionService(parts),
    upkeep: createUpkeepService(forReaders),
    bounces,
    providers: createProviderService(parts),
    providerEvents: createProviderEventService({ ...parts, bounces }),
    deliverability: createDeliverabilityService(parts),
    subscriptionLinks,
    presence,
    clock: parts.clock,
    sending,
    reconciling: createReconcilingService(parts),
    restoredCopy: createRestoredCopyService(parts),
    sources: createSourceService(parts),
    sourceSync: createSourceSyncService(parts),
    storyPreview: createStoryPreviewService(parts),
    site,
    oldAddresses,
    signups,
    signupDecisions: createSignupDecisionService(parts),
    activations: createActivationService(forReaders),
    subscriptions: createSubscriptionService(forReaders),
    preferences: createPreferencesService(forReaders),
    expectations,
    subscribers: createSubscriberService(parts),
    imports: createImportService(parts),
    suppressions: createSuppressionService(parts),
  }
}

export type Services = ReturnType<typeof createServices>
