import type { DeskRoute } from '../../http/desk.ts'
import type { Services } from '../../services/services.ts'
import { settingsDesk } from './settings.ts'

/** Every page and form below `/desk`. */
export function deskRoutes(services: Services): DeskRoute[] {
  return [...settingsDesk(services)]
}
