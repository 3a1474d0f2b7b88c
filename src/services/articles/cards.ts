import { directionOf } from '../../domain/language.ts'
import {
  articlePath,
  bylineOf,
  nameOf,
  rewrittenAt,
  selectionPath,
  shortPath,
  type Article,
  type Selection,
} from '../../domain/articles/article.ts'
import { homeOf, type Linked } from '../../domain/articles/links.ts'
import { shortTextOf } from '../../domain/articles/summary.ts'
import { sourcesOf } from '../../domain/media.ts'
import type { Publication } from '../../domain/publication.ts'

export interface Link {
  name: string
  /** Without the language in front. */
  path: string
}

type Named = Pick<Selection, 'kind' | 'slug' | 'names'>

type Shown = Linked &
  Pick<Article, 'title' | 'deck' | 'summary' | 'picture' | 'language'> &
  Pick<Article, 'publishedAt' | 'firstPublicAt' | 'responsesCount' | 'viewsTotal'> &
  Record<'sections' | 'authors', Named[]>

export const linkTo = (selection: Named, language: string): Link => ({
  name: nameOf(selection, language),
  path: selectionPath(selection),
})

/** An article as a list shows it. */
export function toCard(article: Shown, publication: Publication, publicUrl: string) {
  const section = article.sections[0]
  return {
    /** Without the host where it leads to a page here. */
    href: homeOf(article, publicUrl) ?? articlePath(article.slug),
    title: article.title,
    deck: shortTextOf(article),
    picture: article.picture && { ...article.picture, sources: sourcesOf(article.picture, publicUrl) },
    language: article.language,
    direction: directionOf(article.language),
    // The kicker is part of the article: a French page shows an Arabic article's section in Arabic.
    section: section && linkTo(section, article.language),
    byline: bylineOf(article, publication.deskName),
    publishedAt: article.publishedAt ?? article.firstPublicAt,
    responsesCount: article.responsesCount,
    viewsTotal: article.viewsTotal,
  }
}

export const toStory = (
  article: Shown &
    Pick<
      Article,
      'shortCode' | 'enclosure' | 'areResponsesOpen' | 'correction' | 'correctedAt' | 'writtenAt'
    > &
    Record<'dossiers' | 'tags', Named[]>,
  publication: Publication,
  publicUrl: string,
) => ({
  ...toCard(article, publication, publicUrl),
  path: articlePath(article.slug),
  slug: article.slug,
  lead: article.deck,
  summary: article.summary,
  url: publicUrl + articlePath(article.slug),
  canonicalUrl: article.canonicalUrl ?? publicUrl + articlePath(article.slug),
  shortUrl: publicUrl + shortPath(article.shortCode),
  enclosure: article.enclosure,
  updatedAt: rewrittenAt(article),
  correction: article.correction,
  correctedAt: article.correctedAt,
  areResponsesOpen: article.areResponsesOpen,
  sections: article.sections.map((one) => linkTo(one, article.language)),
  dossiers: article.dossiers.map((one) => linkTo(one, article.language)),
  tags: article.tags.map((one) => linkTo(one, article.language)),
  authors: article.authors.map((one) => linkTo(one, article.language)),
})
