import type { DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'
import { articlesDesk } from './articles.ts'
import { digestActionsDesk, digestsDesk } from './digests.ts'
import { newslettersDesk } from './newsletters.ts'
import { deliverabilityDesk, type Examine } from './deliverability.ts'
import { providersDesk } from './providers.ts'
import { importsDesk } from './subscriber-imports.ts'
import { feedsDesk } from './feeds.ts'
import { lookDesk } from './look.ts'
import { picksDesk } from './picks.ts'
import { responsesDesk } from './responses.ts'
import { sectionsDesk } from './sections.ts'
import { settingsDesk } from './settings.ts'
import { sourcesDesk } from './sources.ts'
import { subscribersDesk } from './subscribers.ts'
import { suppressionsDesk } from './suppressions.ts'
import { todayDesk } from './today.ts'

/**
 * Every page and form below `/desk`.
 * @param draining ends what streams
 * @param examine what `depeche doctor` finds
 */
export function deskRoutes(services: Services, draining: AbortSignal, examine: Examine): DeskRoute[] {
  return [
    ...todayDesk(services),
    ...digestsDesk(services, draining),
    ...digestActionsDesk(services),
    ...newslettersDesk(services),
    ...articlesDesk(services),
    ...sectionsDesk(services),
    ...picksDesk(services),
    ...responsesDesk(services),
    ...sourcesDesk(services),
    ...feedsDesk(services),
    ...subscribersDesk(services),
    ...importsDesk(services),
    ...suppressionsDesk(services),
    ...deliverabilityDesk(services, examine),
    ...providersDesk(services),
    ...settingsDesk(services),
    ...lookDesk(services),
  ]
}
