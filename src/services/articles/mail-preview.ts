import { toFrozenPublication } from '../../domain/digests/digest-content.ts'
import { textIn, type Publication } from '../../domain/publication.ts'
import type { Parts } from '../parts.ts'
import type { SiteService } from './site.ts'

type Story = Awaited<ReturnType<SiteService['preview']>>

export const createMailPreviewService = ({ config, mail, now }: Pick<Parts, 'config' | 'mail' | 'now'>) => ({
  /** A story as a digest would have it at its head: the HTML of a mail of that story alone. */
  async show(story: Story, publication: Publication): Promise<string> {
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
