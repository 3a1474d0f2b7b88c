import { z } from 'zod'
import { feedTexts, languageTag, links, type Publication } from '../../domain/publication.ts'
import { get, patch, type ApiRoute } from '../../http/route.ts'
import type { PublicationService } from '../../services/desk/publication.ts'
import { zone } from '../../services/newsletters/input.ts'

const language = z.string().regex(languageTag, 'must be a BCP 47 tag such as fr or ar-DZ')
const optionalText = (max: number) => z.string().trim().max(max).nullable()

const publication = z.strictObject({
  name: z.string().trim().min(1).max(200),
  description: z.string().max(1_000),
  languages: z.array(language).min(1).max(20),
  zone,
  locales: z.record(language, language),
  deskName: z.string().trim().min(1).max(200),
  postalAddress: optionalText(500),
  contactEmail: z.email().nullable(),
  policyUrl: z.url({ protocol: /^https?$/ }).nullable(),
  policyVersion: z.string().trim().min(1).max(50),
  ambiguousPolicy: z.enum(['resend_once', 'hold']),
  links: z.enum(links, 'must be here or canonical'),
  feedText: z.enum(feedTexts, 'must be full or summary').nullable(),
})

export function publicationApi(service: PublicationService): ApiRoute[] {
  return [
    get('/publication', 'viewer', {
      summary: 'The publication and its settings',
      answers: { 200: publication },
      handle: async () => ({ body: await service.get() }),
    }),
    patch('/publication', 'admin', {
      summary: 'Change settings; what is absent stays, null clears',
      body: publication.partial(),
      answers: { 200: publication },
      // JSON has no undefined.
      handle: async ({ body, actor }) => ({ body: await service.set(body as Partial<Publication>, actor) }),
    }),
  ]
}
