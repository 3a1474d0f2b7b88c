import type { Picture, SelectionKind } from '../articles/article.ts'
import type { PublicationIn } from '../publication.ts'

/**
 * Everything that decides the bytes of a digest, as it was frozen: plain JSON, so that it can be stored, hashed and
 * shown again years later. Nothing per recipient. Every text but `introHtml` is plain text, every URL absolute.
 */
export interface FrozenDigest {
  digestId: number
  /** `alert`: one article, set as a brief. */
  cadence: 'daily' | 'weekly' | 'alert'
  template: 'digest' | 'brief'
  subject: string
  /**
   * `editor`: kept for every variant; `headline`: each variant is called like its own first story. Absent in digests
   * frozen before variants had leads and subjects of their own: those go out as they were.
   */
  subjectFrom?: 'editor' | 'headline'
  /** Markdown; may be empty. */
  intro: string
  /** What it says as safe HTML. Absent in digests frozen before it was Markdown: paragraphs, an empty line between them. */
  introHtml?: string
  /** The line an inbox shows beside the subject; made from the first headlines where absent. */
  preheader?: string
  /** The instant it speaks of, RFC 3339: shown as a day in the publication's zone. */
  date: string
  newsletter: FrozenNewsletter
  publication: FrozenPublication
  /** In the order they are set; each article is in exactly one of them. */
  blocks: FrozenBlock[]
  articles: FrozenArticle[]
  /** Headlines of the whole site, the same for every variant; empty where the newsletter does not want them. */
  mostRead: { id?: number; title: string; url: string; shortUrl?: string }[]
  /** Where the articles beyond the maximum are; how many, as far as that is the same for every reader. */
  more?: { count?: number; url: string }
  /** What its links to the newsroom's own hosts say in mails; absent where they say nothing. */
  linkTags?: { owners: string[]; source: string; campaign: string }
}

export interface FrozenNewsletter {
  slug: string
  name: string
  /** BCP 47: the language and direction of the whole mail. */
  language: string
  /** `Name <address>` or an address; the installation's sender where absent. */
  from?: string
  replyTo?: string
}

export interface FrozenPublication extends Partial<FrozenLook> {
  name: string
  postalAddress: string
  /** An origin, without a trailing slash. */
  publicUrl: string
  /** BCP 47 locale of dates and numbers in the newsletter's language. */
  locale: string
  /** IANA. */
  zone: string
}

/** How it presents itself, as far as it says so. */
type FrozenLook = {
  [Part in 'accent' | 'footer' | 'contacts' | 'legalLinks' | 'logo' | 'logoDark']: NonNullable<
    PublicationIn[Part]
  >
}

export interface FrozenBlock {
  kind: 'lead' | 'articles' | 'picks' | SelectionKind
  /** Its heading; empty for the lead and where none is wanted. */
  title: string
  /** The selection's page. */
  url?: string
  articleIds: number[]
}

/** The snapshot of one article: what the mail shows of it, whatever becomes of the article. */
export interface FrozenArticle {
  id: number
  title: string
  summary: string
  url: string
  /** For the text part; absent where the page is elsewhere, and in digests frozen before there were any. */
  shortUrl?: string
  language: string
  picture?: Picture
  byline: string
  sectionNames: string[]
  /** RFC 3339. */
  publishedAt: string
}
