import { z } from 'zod'
import { describeApi } from '../../http/openapi.ts'
import type { SignupLimit } from '../../http/rate-limit.ts'
import { get, type ApiRoute } from '../../http/route.ts'
import type { Services } from '../../services/services.ts'
import { articleApi } from './articles.ts'
import { auditApi } from './audit.ts'
import { digestActionApi, digestApi, digestPreviewApi } from './digests.ts'
import { editorApi } from './editors.ts'
import { feedApi } from './feeds.ts'
import { importApi } from './subscriber-imports.ts'
import { invitationApi } from './invitations.ts'
import { keyApi } from './keys.ts'
import { mediaApi } from './media.ts'
import { newsletterApi } from './newsletters.ts'
import { pickApi } from './picks.ts'
import { providerApi } from './providers.ts'
import { publicationApi } from './publication.ts'
import { responseApi } from './responses.ts'
import { sampleApi } from './sample.ts'
import { selectionApi } from './selections.ts'
import { sourceApi } from './sources.ts'
import { subscriberApi } from './subscribers.ts'

/** Every call below `/api/v1`. */
export function apiRoutes(
  services: Services,
  options: { publicUrl: string; signupLimit: SignupLimit; draining: AbortSignal },
): ApiRoute[] {
  const routes: ApiRoute[] = [
    ...newsletterApi(services),
    ...digestApi(services, options.draining),
    ...digestPreviewApi(services),
    ...digestActionApi(services),
    ...subscriberApi(services, options.signupLimit),
    ...importApi(services),
    ...articleApi(services.articles),
    ...mediaApi(services.media),
    ...sourceApi(services),
    ...responseApi(services),
    ...selectionApi(services.selections),
    ...pickApi(services),
    ...publicationApi(services.publication),
    ...feedApi(services),
    ...editorApi(services.editors),
    ...invitationApi(services.invitations),
    ...keyApi(services),
    ...providerApi(services.providers),
    ...auditApi(services),
    ...sampleApi(services),
  ]
  const openapi: ApiRoute = get('/openapi.json', 'viewer', {
    summary: 'This description',
    answers: { 200: z.looseObject({ openapi: z.literal('3.1.0') }) },
    handle: () => ({ body: describeApi([...routes, openapi], options.publicUrl) }),
  })
  return [...routes, openapi]
}
