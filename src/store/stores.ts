import { apiKeyStore } from './api-keys.ts'
import { bouncesStore } from './bounces.ts'
import { articleViewsStore } from './article-views.ts'
import { articlesStore } from './articles.ts'
import { auditStore } from './audit.ts'
import { editorStore } from './editors.ts'
import { deliveriesStore } from './deliveries.ts'
import { activationMailsStore } from './activation-mails.ts'
import { activationsStore } from './activations.ts'
import { consentsStore } from './consents.ts'
import type { Executor } from './executor.ts'
import { healthStore } from './health.ts'
import { instanceGuardStore } from './instance-guard.ts'
import { feedDocumentsStore } from './feed-documents.ts'
import { outboxStore } from './outbox.ts'
import { digestArticlesStore } from './digest-articles.ts'
import { digestProgressStore } from './digest-progress.ts'
import { digestsStore } from './digests.ts'
import { feedPollsStore } from './feed-polls.ts'
import { importsStore } from './imports.ts'
import { idempotencyKeysStore } from './idempotency-keys.ts'
import { newslettersStore } from './newsletters.ts'
import { personalDataStore } from './personal-data.ts'
import { providersStore } from './providers.ts'
import { publicationStore } from './publication.ts'
import { rateLimitsStore } from './rate-limits.ts'
import { responsesStore } from './responses.ts'
import { selectionsStore } from './selections.ts'
import { runningDigestsStore } from './running-digests.ts'
import { countsStore } from './counts.ts'
import { digestNumbersStore } from './digest-numbers.ts'
import { sendingBudgetStore } from './sending-budget.ts'
import { sessionStore } from './sessions.ts'
import { spreadsStore } from './spreads.ts'
import { uncertainStore } from './uncertain.ts'
import { waitingWorkStore } from './waiting-work.ts'
import { workersStore } from './workers.ts'
import { subscriberOverviewStore } from './subscriber-overview.ts'
import { subscribersStore } from './subscribers.ts'
import { subscriptionsStore } from './subscriptions.ts'
import { suppressionsStore } from './suppressions.ts'
import { variantsStore } from './variants.ts'
import { watchStore } from './watch.ts'

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
