import type { DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'
import { articlesDesk } from './articles.ts'
import { settingsDesk } from './settings.ts'

/** Every page and form below `/desk`. */
export function deskRoutes(services: Services): DeskRoute[] {
  return [...articlesDesk(services), ...settingsDesk(services)]
}
