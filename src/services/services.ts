import { createNewsletterService } from './newsletters.ts'
import { createArticleService } from './articles.ts'
import { createAuditService } from './audit.ts'
import { createEditorService } from './editors.ts'
import { createKeyService } from './keys.ts'
import type { Parts } from './parts.ts'
import { createPublicationService } from './publication.ts'
import { createSubscriptionLinks } from './subscription-links.ts'

export function createServices(parts: Parts) {
  return {
    publication: createPublicationService(parts),
    articles: createArticleService(parts),
    newsletters: createNewsletterService(parts),
    editors: createEditorService(parts),
    keys: createKeyService(parts),
    audit: createAuditService(parts),
    subscriptionLinks: createSubscriptionLinks(parts),
  }
}

export type Services = ReturnType<typeof createServices>
