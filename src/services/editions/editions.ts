import { dateIn } from '../../domain/calendar.ts'
import type { Publication } from '../../domain/publication.ts'
import { notFound } from '../../errors.ts'
import type { createArchiveService } from '../digests/archive.ts'
import type { SiteService } from '../articles/site.ts'
import type { Parts } from '../parts.ts'
import { articlePaper, digestPaper, type WantedPicture } from './paper.ts'
import { hashOf, setPaper, template } from './paper-cache.ts'
import { readPictures } from './pictures.ts'

/** A PDF that may be made, and what is known of it before. */
export interface Edition {
  /** The same for the same bytes. */
  hash: string
  language: string
  fileName: string
  /** `isWhole`: with all its pictures. @throws DomainError `pdf_busy`, `pdf_not_made` */
  make: () => Promise<{ bytes: Buffer; isWhole: boolean }>
}

interface Others {
  site: SiteService
  archive: ReturnType<typeof createArchiveService>
}

/** Articles and digests as PDF, made when somebody asks. */
export function createEditionService(
  parts: Pick<Parts, 'config' | 'database' | 'fetchPicture' | 'hasEditions' | 'log'> & Others,
) {
  const { config, hasEditions, log, site, archive } = parts
  const { publicUrl } = config

  const requireCompiler = () => {
    if (!hasEditions)
      throw notFound(
        'pdf_not_installed',
        'PDFs are not made here: read the page, or print it from your browser.',
      )
  }
  const toEdition = (
    made: { paper: object; pictures: WantedPicture[] },
    language: string,
    fileName: string,
  ): Edition => {
    const { paper } = made
    const hash = hashOf(paper)
    return {
      hash,
      language,
      fileName,
      async make() {
        const set = await setPaper(hash, async () => ({
          template,
          paper,
          pictures: await readPictures(parts, made.pictures),
        }))
        if (set.plainReason !== undefined) {
          const [, reason = ''] = /message: "([^"]*)/.exec(set.plainReason) ?? []
          log.info({ file: fileName, reason }, 'a PDF is tagged, but is no PDF/UA-1')
        }
        return { bytes: Buffer.from(set.bytes), isWhole: set.isWhole }
      },
    }
  }

  return {
    /**
     * The article, or where its page says it is instead. A withdrawn one comes without its words.
     * @throws DomainError `no_article`, `pdf_not_installed`
     */
    async article(slug: string, publication: Publication) {
      requireCompiler()
      const found = await site.article(slug, publication)
      if (!found.article) return { ...found, edition: undefined }
      const { article } = found
      const { language } = article
      return {
        withdrawn: undefined,
        redirect: undefined,
        edition: toEdition(
          articlePaper(article, publication, { language, publicUrl }),
          language,
          `${article.slug}.pdf`,
        ),
      }
    },

    /** @throws DomainError `no_digest`, also for one that no reader has; `pdf_not_installed` */
    async digest(id: number, publication: Publication): Promise<Edition> {
      requireCompiler()
      const { content, number } = await archive.digest(id)
      const stories = await site.stories(
        content.articles.map((article) => article.id),
        publication,
      )
      const { newsletter, publication: from, date } = content
      const fileName = `${newsletter.slug}-${dateIn(from.zone, new Date(date))}.pdf`
      const byId = new Map(stories.map((story) => [story.id, story]))
      return toEdition(digestPaper(content, byId, number), newsletter.language, fileName)
    },
  }
}
