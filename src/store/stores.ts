import { clockStore } from './clock.ts'
import type { Executor } from './executor.ts'
import { articleViewsStore } from './articles/article-views.ts'
import { articlesStore } from './articles/articles.ts'
import { responsesStore } from './responses/responses.ts'
import { writtenResponsesStore } from './responses/written-responses.ts'
import { picksStore } from './articles/picks.ts'
import { selectionsStore } from './articles/selections.ts'
import { bouncesStore } from './deliverability/bounces.ts'
import { providersStore } from './deliverability/providers.ts'
import { suppressionsStore } from './deliverability/suppressions.ts'
import { deliveriesStore } from './delivery/deliveries.ts'
import { instanceGuardStore } from './delivery/instance-guard.ts'
import { outboxStore } from './delivery/outbox.ts'
import { sendingBudgetStore } from './delivery/sending-budget.ts'
import { waitingWorkStore } from './waiting-work.ts'
import { workersStore } from './delivery/workers.ts'
import { apiKeyStore } from './desk/api-keys.ts'
import { auditStore } from './desk/audit.ts'
import { countsStore } from './counts.ts'
import { editorStore } from './desk/editors.ts'
import { healthStore } from './health.ts'
import { idempotencyKeysStore } from './idempotency-keys.ts'
import { invitationStore } from './desk/invitations.ts'
import { newslettersStore } from './newsletters/newsletters.ts'
import { publicationStore } from './desk/publication.ts'
import { rateLimitsStore } from './rate-limits.ts'
import { sampleStore } from './desk/sample.ts'
import { sessionStore } from './desk/sessions.ts'
import { signInLinkStore } from './desk/sign-in-links.ts'
import { setupStore } from './desk/setup.ts'
import { digestArticlesStore } from './digests/digest-articles.ts'
import { digestNumbersStore } from './digests/digest-numbers.ts'
import { digestProgressStore } from './digests/digest-progress.ts'
import { digestsStore } from './digests/digests.ts'
import { reportsStore } from './digests/reports.ts'
import { retentionStore } from './retention.ts'
import { runningDigestsStore } from './digests/running-digests.ts'
import { spreadsStore } from './digests/spreads.ts'
import { doubtStore } from './digests/doubts.ts'
import { variantsStore } from './digests/variants.ts'
import { audienceStore } from './digests/audience.ts'
import { warningsStore } from './digests/warnings.ts'
import { feedDocumentsStore } from './feeds/feed-documents.ts'
import { feedPollsStore } from './feeds/feed-polls.ts'
import { mediaStore } from './media/media.ts'
import { sourceItemsStore } from './sources/source-items.ts'
import { sourceRunsStore } from './sources/source-runs.ts'
import { sourcesStore } from './sources/sources.ts'
import { activationMailsStore } from './signups/activation-mails.ts'
import { activationsStore } from './signups/activations.ts'
import { consentsStore } from './subscribers/consents.ts'
import { importsStore } from './subscribers/imports.ts'
import { personalDataStore } from './subscribers/personal-data.ts'
import { subscriberOverviewStore } from './subscribers/subscriber-overview.ts'
import { subscribersStore } from './subscribers/subscribers.ts'
import { subscriptionsStore } from './subscribers/subscriptions.ts'

/**
 * Every aggregate's statements, bound to one executor. Services are handed this and import only its type.
 * @param hot where statements that come with every mail run
 */
export function storesOn(executor: Executor, hot = executor) {
  return {
    clock: clockStore(executor),
    articleViews: articleViewsStore(executor),
    articles: articlesStore(executor),
    responses: responsesStore(executor),
    writtenResponses: writtenResponsesStore(executor),
    picks: picksStore(executor),
    selections: selectionsStore(executor),
    bounces: bouncesStore(executor),
    providers: providersStore(executor),
    suppressions: suppressionsStore(executor),
    deliveries: deliveriesStore(executor, hot),
    instanceGuard: instanceGuardStore(executor),
    outbox: outboxStore(executor, hot),
    sendingBudget: sendingBudgetStore(executor),
    waitingWork: waitingWorkStore(executor),
    workers: workersStore(executor),
    apiKeys: apiKeyStore(executor),
    audit: auditStore(executor),
    counts: countsStore(executor),
    editors: editorStore(executor),
    health: healthStore(executor),
    idempotencyKeys: idempotencyKeysStore(executor),
    invitations: invitationStore(executor),
    newsletters: newslettersStore(executor),
    publication: publicationStore(executor),
    rateLimits: rateLimitsStore(executor),
    sample: sampleStore(executor),
    sessions: sessionStore(executor),
    signInLinks: signInLinkStore(executor),
    setup: setupStore(executor),
    digestArticles: digestArticlesStore(executor),
    digestNumbers: digestNumbersStore(executor),
    digestProgress: digestProgressStore(executor),
    digests: digestsStore(executor),
    reports: reportsStore(executor),
    retention: retentionStore(executor),
    runningDigests: runningDigestsStore(executor),
    spreads: spreadsStore(executor),
    doubts: doubtStore(executor),
    audience: audienceStore(executor),
    variants: variantsStore(executor),
    warnings: warningsStore(executor),
    feedDocuments: feedDocumentsStore(executor),
    feedPolls: feedPollsStore(executor),
    media: mediaStore(executor),
    sourceItems: sourceItemsStore(executor),
    sourceRuns: sourceRunsStore(executor),
    sources: sourcesStore(executor),
    activationMails: activationMailsStore(executor),
    activations: activationsStore(executor),
    consents: consentsStore(executor),
    imports: importsStore(executor),
    personalData: personalDataStore(executor),
    subscriberOverview: subscriberOverviewStore(executor),
    subscribers: subscribersStore(executor),
    subscriptions: subscriptionsStore(executor),
  }
}

export type Stores = ReturnType<typeof storesOn>
