import { z } from 'zod'
import { shortPath, type Article, type Selection } from '../../domain/articles/article.ts'
import { articleUrl } from '../../domain/articles/links.ts'
import { show } from '../../domain/fields.ts'
import { articleInput } from './input.ts'

const time = z.iso.datetime()

/** As the API shows it. */
export const articleShape = z.object({
  externalId: z.string(),
  slug: z.string(),
  url: z.url(),
  shortUrl: z.url(),
  guid: z.string().describe('Permanent'),
  title: z.string(),
  html: z.string().describe('Sanitised, every URL absolute'),
  markdown: z.string().nullable().describe('What html was made of, where it was written so'),
  language: z.string(),
  deck: z.string(),
  summary: z.string(),
  sections: z.array(z.string()),
  dossiers: z.array(z.string()),
  tags: z.array(z.string()),
  authors: z.array(z.string()),
  state: z.enum(['draft', 'scheduled', 'published', 'withdrawn']),
  publishedAt: time.nullable(),
  firstPublicAt: time.nullable().describe('When it became public here; never changes'),
  withdrawnAt: time.nullable(),
  withdrawnReason: z.string().nullable(),
  canonicalUrl: z.string().nullable(),
  translationOf: z.string().nullable().describe('External id of the article that it translates'),
  correction: z.string().nullable(),
  correctedAt: time.nullable().describe('When the correction was written'),
  owner: z.object({ id: z.int(), name: z.string() }).nullable().describe('The source that it comes from'),
  picture: articleInput.shape.picture.unwrap().nullable(),
  enclosure: articleInput.shape.enclosure.unwrap().nullable(),
  responses: z.enum(['open', 'closed']),
  responsesCount: z.int(),
  viewsTotal: z.int(),
  heldAt: time.nullable().describe('Since when a correction keeps sources from writing its text'),
  createdAt: time,
  updatedAt: time,
})

const slugsOf = (selections: Selection[]) => selections.map(({ slug }) => slug)

export const toShape = (article: Article, publicUrl: string) =>
  show(articleShape, {
    ...article,
    url: articleUrl(article, publicUrl),
    shortUrl: publicUrl + shortPath(article.shortCode),
    sections: slugsOf(article.sections),
    dossiers: slugsOf(article.dossiers),
    tags: slugsOf(article.tags),
    authors: article.authors.map((author) => author.names['und'] ?? author.slug),
    responses: article.areResponsesOpen ? 'open' : 'closed',
  })
