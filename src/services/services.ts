import { createNewsletterService } from './newsletters.ts'
import type { Parts } from './parts.ts'
import { createPublicationService } from './publication.ts'

export function createServices(parts: Parts) {
  return {
    publication: createPublicationService(parts),
    newsletters: createNewsletterService(parts),
  }
}

export type Services = ReturnType<typeof createServices>
