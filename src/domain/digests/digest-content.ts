import { localeOf } from '../language.ts'
import { headlineOf } from './digest-variant.ts'
import { dateIn } from '../calendar.ts'
import { bylineOf, nameOf, selectionPath, type Article, type Selection } from '../articles/article.ts'
import { shortTextOf, summaryOf } from '../articles/summary.ts'
import { addressesOf, articleUrl, type Linked } from '../articles/links.ts'
import { pickPath, type PickedList } from '../articles/pick.ts'
import { sanitizeText } from '../articles/markdown.ts'
import { isLetter, type Digest } from './digest.ts'
import { ownersOf } from './link-tags.ts'
import type { FrozenArticle, FrozenBlock, FrozenDigest } from './frozen-digest.ts'
import type { Block, Newsletter } from '../newsletter.ts'
import { mailContactsOf, publicationIn, type Publication } from '../publication.ts'

type Shown = 'id' | 'externalId' | 'shortCode' | 'title' | 'deck' | 'summary' | 'language' | 'picture'

/** An article as far as a digest shows it. */
export interface Candidate extends Linked, Pick<Article, Shown> {
  publishedAt: Date
  /** Sections, dossiers and authors, in the editor's order. */
  selections: Selection[]
}

/** Without blocks of its own: the first story large, the others below it. */
const defaultBlocks: Block[] = [{ kind: 'lead' }]

/** Puts each article into the first block that takes it; what fits none follows. */
export function arrange(
  blocks: readonly Block[],
  articles: readonly Candidate[],
  site: { language: string; publicUrl: string; picks?: readonly PickedList[] },
): FrozenBlock[] {
  const waiting = new Map(articles.map((article) => [article.id, article]))
  const arranged: FrozenBlock[] = []
  const put = (block: Omit<FrozenBlock, 'articleIds'>, taken: readonly Candidate[]) => {
    if (taken.length === 0) return
    arranged.push({ ...block, articleIds: taken.map((article) => article.id) })
    for (const article of taken) waiting.delete(article.id)
  }
  for (const block of blocks.length > 0 ? blocks : defaultBlocks) {
    const rest = [...waiting.values()]
    if (block.kind === 'lead') put({ kind: 'lead', title: '' }, rest.slice(0, 1))
    const pick = block.kind === 'picks' && site.picks?.find(({ slug }) => slug === block.slug)
    if (pick) {
      const title = nameOf(pick, site.language)
      const taken = rest.filter(({ id }) => pick.articleIds.includes(id))
      put({ kind: 'picks', title, url: site.publicUrl + pickPath(pick.slug) }, taken)
    }
    if (block.kind !== 'section' && block.kind !== 'dossier') continue
    const isIts = (selection: Selection) => selection.kind === block.kind && selection.slug === block.slug
    const taken = rest.filter((article) => article.selections.some(isIts))
    const selection = taken[0]?.selections.find(isIts)
    if (!selection) continue
    const title = nameOf(selection, site.language)
    put({ kind: block.kind, title, url: site.publicUrl + selectionPath(selection) }, taken)
  }
  put({ kind: 'articles', title: '' }, [...waiting.values()])
  return arranged
}

interface ContentParts {
  digest: Digest
  newsletter: Newsletter
  publication: Publication
  publicUrl: string
  replyTo: string | null
  /** In the digest's order. */
  articles: readonly Candidate[]
  /** Due articles that the maximum left out. */
  beyond: number
  mostRead: FrozenDigest['mostRead']
  /** That the newsletter's blocks name, and that are shown now. */
  picks: PickedList[]
  /** Sites of the newsroom's own that are followed. */
  homes: string[]
}

/** Everything that decides the bytes, from the rules, the editor's changes and the articles: a pure function. */
export function contentOf(parts: ContentParts): FrozenDigest {
  const { digest, newsletter, publicUrl, articles, beyond } = parts
  const isAlert = digest.cadence === 'alert'
  const isRuled = !isAlert && !isLetter(digest)
  const ownSubject = digest.subject ?? (isRuled ? newsletter.subject : null)
  const introHtml = sanitizeText('markdown', digest.intro, publicUrl)
  // The line beside a subject is made from headlines, of which a letter may have none.
  const preheader = digest.preheader ?? (isLetter(digest) ? summaryOf(introHtml) : null)
  return {
    digestId: digest.id,
    cadence: digest.cadence,
    template: isAlert ? 'brief' : newsletter.template,
    subject: ownSubject ?? headlineOf(newsletter, articles),
    subjectFrom: ownSubject === null ? 'headline' : 'editor',
    intro: digest.intro,
    introHtml,
    ...(preheader !== null && preheader !== '' && { preheader }),
    date: (digest.sendAt ?? digest.createdAt).toISOString(),
    newsletter: {
      slug: newsletter.slug,
      name: newsletter.name,
      language: newsletter.language,
      ...(newsletter.from !== null && { from: newsletter.from }),
      ...(parts.replyTo !== null && { replyTo: parts.replyTo }),
    },
    publication: toFrozenPublication(parts.publication, newsletter.language, publicUrl),
    blocks: arrange(isRuled ? newsletter.blocks : [], articles, {
      language: newsletter.language,
      publicUrl,
      picks: parts.picks,
    }),
    articles: articles.map((article) => toFrozen(article, parts)),
    mostRead: isLetter(digest) ? [] : parts.mostRead,
    ...(beyond > 0 && { more: { count: beyond, url: moreUrl(newsletter, publicUrl) } }),
    ...(newsletter.linkTags && { linkTags: linkTagsOf(parts) }),
  }
}

/** The newsroom as a mail in a language shows it. */
export function toFrozenPublication(
  texts: Publication,
  language: string,
  publicUrl: string,
): FrozenDigest['publication'] {
  const publication = publicationIn(texts, language)
  const { accent, footer, legalLinks, logo, logoDark } = publication
  const contacts = mailContactsOf(publication)
  return {
    name: publication.name,
    postalAddress: publication.postalAddress ?? '',
    publicUrl,
    locale: localeOf(publication, language),
    zone: publication.zone,
    ...(accent && { accent }),
    ...(logo && { logo }),
    ...(logoDark && { logoDark }),
    ...(footer && { footer }),
    ...(contacts.length > 0 && { contacts }),
    ...(legalLinks.length > 0 && { legalLinks }),
  }
}

/** Where no site is followed, what the API names as the page of an article is the newsroom's own. */
function linkTagsOf({ digest, newsletter, publication, publicUrl, homes, articles, mostRead }: ContentParts) {
  const named = [
    ...articles.map((article) => articleUrl(article, publicUrl)),
    ...mostRead.map(({ url }) => url),
  ]
  const day = dateIn(publication.zone, digest.sendAt ?? digest.createdAt)
  return {
    owners: ownersOf([publicUrl, ...(homes.length > 0 ? homes : named)]),
    source: newsletter.slug,
    campaign: `${day}-${digest.id}`,
  }
}

function toFrozen(article: Candidate, { newsletter, publication, publicUrl }: ContentParts): FrozenArticle {
  const authors = article.selections.filter((selection) => selection.kind === 'author')
  return {
    id: article.id,
    title: article.title,
    summary: shortTextOf(article),
    ...addressesOf(article, publicUrl),
    language: article.language,
    ...(article.picture && { picture: article.picture }),
    byline: bylineOf({ authors, language: article.language }, publication.deskName),
    sectionNames: article.selections
      .filter((selection) => selection.kind === 'section')
      .map((selection) => nameOf(selection, newsletter.language)),
    publishedAt: article.publishedAt.toISOString(),
  }
}

/** Where the rest can be read: the section of a newsletter of one section, else the front page in its language. */
function moreUrl({ sections, dossiers, tags, language }: Newsletter, publicUrl: string): string {
  const [section, ...others] = sections
  const isOfOneSection = section !== undefined && [...others, ...dossiers, ...tags].length === 0
  return publicUrl + (isOfOneSection ? selectionPath({ kind: 'section', slug: section }) : `/${language}`)
}
