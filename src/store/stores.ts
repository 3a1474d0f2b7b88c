import { apiKeyStore } from './desk/api-keys.ts'
import { bouncesStore } from './deliverability/bounces.ts'
import { articleViewsStore } from './articles/article-views.ts'
import { articlesStore } from './articles/articles.ts'
import { auditStore } from './desk/audit.ts'
import { editorStore } from './desk/editors.ts'
import { deliveriesStore } from './delivery/deliveries.ts'
import { activationMailsStore } from './subscribers/activation-mails.ts'
import { activationsStore } from './subscribers/activations.ts'
import { consentsStore } from './subscribers/consents.ts'
import type { Executor } from './executor.ts'
import { healthStore } from './desk/health.ts'
import { instanceGuardStore } from './delivery/instance-guard.ts'
import { feedDocumentsStore } from './feeds/feed-documents.ts'
import { outboxStore } from './delivery/outbox.ts'
import { digestArticlesStore } from './digests/digest-articles.ts'
import { digestProgressStore } from './digests/digest-progress.ts'
import { digestsStore } from './digests/digests.ts'
import { feedPollsStore } from './feeds/feed-polls.ts'
import { importsStore } from './subscribers/imports.ts'
import { idempotencyKeysStore } from './desk/idempotency-keys.ts'
import { newslettersStore } from './desk/newsletters.ts'
import { personalDataStore } from './subscribers/personal-data.ts'
import { providersStore } from './deliverability/providers.ts'
import { publicationStore } from './desk/publication.ts'
import { rateLimitsStore } from './desk/rate-limits.ts'
import { responsesStore } from './articles/responses.ts'
import { selectionsStore } from './articles/selections.ts'
import { runningDigestsStore } from './digests/running-digests.ts'
import { countsStore } from './desk/counts.ts'
import { digestNumbersStore } from './digests/digest-numbers.ts'
import { sendingBudgetStore } from './delivery/sending-budget.ts'
import { sessionStore } from './desk/sessions.ts'
import { sourceItemsStore } from './sources/source-items.ts'
import { sourceRunsStore } from './sources/source-runs.ts'
import { sourcesStore } from './sources/sources.ts'
import { spreadsStore } from './digests/spreads.ts'
import { uncertainStore } from './digests/uncertain.ts'
import { waitingWorkStore } from './delivery/waiting-work.ts'
import { workersStore } from './delivery/workers.ts'
import { subscriberOverviewStore } from './subscribers/subscriber-overview.ts'
import { subscribersStore } from './subscribers/subscribers.ts'
import { subscriptionsStore } from './subscribers/subscriptions.ts'
import { suppressionsStore } from './deliverability/suppressions.ts'
import { variantsStore } from './digests/variants.ts'
import { watchStore } from './digests/watch.ts'

/**
 * Every aggregate's statements, bound to one executor. Services are handed this and import only its type.
 * @param hot where statements that come with every mail run
 */
export function storesOn(executor: Executor, hot = executor) {
  return {
    publication: publicationStore(executor),
    articles: articlesStore(executor),
    articleViews: articleViewsStore(executor),
    responses: responsesStore(executor),
    selections: selectionsStore(executor),
    feedDocuments: feedDocumentsStore(executor),
    feedPolls: feedPollsStore(executor),
    outbox: outboxStore(executor, hot),
    deliveries: deliveriesStore(executor, hot),
    runningDigests: runningDigestsStore(executor),
    counts: countsStore(executor),
    digestNumbers: digestNumbersStore(executor),
    instanceGuard: instanceGuardStore(executor),
    workers: workersStore(executor),
    uncertain: uncertainStore(executor),
    sources: sourcesStore(executor),
    sourceItems: sourceItemsStore(executor),
    sourceRuns: sourceRunsStore(executor),
    spreads: spreadsStore(executor),
    waitingWork: waitingWorkStore(executor),
    newsletters: newslettersStore(executor),
    digests: digestsStore(executor),
    digestArticles: digestArticlesStore(executor),
    variants: variantsStore(executor),
    digestProgress: digestProgressStore(executor),
    watch: watchStore(executor),
    idempotencyKeys: idempotencyKeysStore(executor),
    rateLimits: rateLimitsStore(executor),
    editors: editorStore(executor),
    sendingBudget: sendingBudgetStore(executor),
    sessions: sessionStore(executor),
    apiKeys: apiKeyStore(executor),
    audit: auditStore(executor),
    subscribers: subscribersStore(executor),
    subscriptions: subscriptionsStore(executor),
    suppressions: suppressionsStore(executor),
    bounces: bouncesStore(executor),
    providers: providersStore(executor),
    health: healthStore(executor),
    activations: activationsStore(executor),
    activationMails: activationMailsStore(executor),
    consents: consentsStore(executor),
    imports: importsStore(executor),
    personalData: personalDataStore(executor),
    subscriberOverview: subscriberOverviewStore(executor),
  }
}

export type Stores = ReturnType<typeof storesOn>
