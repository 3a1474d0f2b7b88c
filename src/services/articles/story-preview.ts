import type { SelectionKind } from '../../domain/articles/article.ts'
import { withoutUndefined } from '../../domain/fields.ts'
import { toFrozenPublication } from '../../domain/digests/digest-content.ts'
import { textIn, type Publication } from '../../domain/publication.ts'
import type { Parts } from '../parts.ts'
import { toStory } from './cards.ts'
import { articleInput, type ArticleInput } from './input.ts'
import { authorNamed } from './put-articles.ts'
import { toSafeHtml } from './safe-html.ts'

/** A story that is still being written, as readers will see it: nothing of it is stored. */
export const createStoryPreviewService = ({
  config,
  database,
  mail,
  now,
}: Pick<Parts, 'config' | 'database' | 'mail' | 'now'>) => ({
  /** As its page shows it. @throws ZodError */
  async page(body: ArticleInput, publication: Publication) {
    const input = articleInput.parse(body)
    const pick = (kind: SelectionKind, slugs: string[]) =>
      Promise.all(
        slugs.map(
          async (slug) =>
            (await database.stores.selections.findBySlug(kind, slug)) ?? { kind, slug, names: { und: slug } },
        ),
      )
    const format = input.markdown === undefined ? 'html' : 'markdown'
    const written = input.markdown ?? input.html ?? ''
    const story = {
      ...input,
      correction: input.correction,
      correctedAt: now(),
      slug: '',
      shortCode: '',
      links: 'here' as const,
      canonicalUrl: undefined,
      picture: input.picture && withoutUndefined(input.picture),
      enclosure: input.enclosure && withoutUndefined(input.enclosure),
      publishedAt: input.publishedAt === undefined ? now() : new Date(input.publishedAt),
      firstPublicAt: undefined,
      areResponsesOpen: false,
      writtenAt: undefined,
      responsesCount: 0,
      viewsTotal: 0,
      sections: await pick('section', input.sections),
      dossiers: await pick('dossier', input.dossiers),
      tags: await pick('tag', input.tags),
      authors: input.authors.map(authorNamed),
    }
    const html = await toSafeHtml(format, written, input.canonicalUrl ?? config.publicUrl)
    return { ...toStory(story, publication, config.publicUrl), html, responses: [], translations: [] }
  },

  /** As a digest has it at its head: the HTML of a mail of that story alone. */
  async mail(story: ReturnType<typeof toStory>, publication: Publication): Promise<string> {
    const { title, language, picture, byline } = story
    const publishedAt = (story.publishedAt ?? now()).toISOString()
    const composed = await mail.composeDigest({
      digestId: 0,
      cadence: 'daily',
      template: 'digest',
      intro: '',
      mostRead: [],
      subject: title,
      subjectFrom: 'headline',
      date: publishedAt,
      newsletter: { slug: 'preview', name: textIn(publication.name, language), language },
      publication: toFrozenPublication(publication, language, config.publicUrl),
      blocks: [{ kind: 'lead', title: '', articleIds: [0] }],
      articles: [
        {
          id: 0,
          title,
          language,
          byline,
          publishedAt,
          summary: story.deck,
          url: story.url,
          ...(picture && { picture }),
          sectionNames: story.sections.map(({ name }) => name),
        },
      ],
    })
    return mail.previewVariant(composed).html
  },
})
