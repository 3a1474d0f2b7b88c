import type { Article, Selection } from '../../src/domain/articles/article.ts'
import type { FeedChannel } from '../../src/feeds/writer.ts'

let made = 0

/** A published article as the store gives it, without a store. */
export function aFeedArticle(wish: Partial<Article> = {}): Article {
  made += 1
  const at = new Date(Date.UTC(2026, 2, 14, 9, 0, made))
  return {
    id: made,
    externalId: `article-${made}`,
    guid: `urn:uuid:00000000-0000-4000-8000-${String(made).padStart(12, '0')}`,
    slug: `le-phare-${made}`,
    shortCode: `c${made}`,
    language: 'fr',
    title: `Le phare se rallume (${made})`,
    deck: '',
    summary: 'Le phare de Port-Clair brille de nouveau.',
    html: '<p>Le phare de Port-Clair brille de nouveau depuis hier soir.</p>',
    state: 'published',
    publishedAt: at,
    firstPublicAt: at,
    withdrawnAt: undefined,
    withdrawnReason: undefined,
    canonicalUrl: undefined,
    links: 'here',
    feedText: undefined,
    owner: undefined,
    correctedAt: undefined,
    writtenAt: undefined,
    picture: undefined,
    enclosure: undefined,
    areResponsesOpen: false,
    responsesCount: 0,
    viewsTotal: 0,
    oldPath: undefined,
    heldAt: undefined,
    markdown: undefined,
    correction: undefined,
    translationOf: undefined,
    createdAt: at,
    updatedAt: at,
    sections: [aSelection('section', 'a-la-une', { fr: 'À la une', ar: 'الواجهة' })],
    dossiers: [],
    tags: [],
    authors: [aSelection('author', 'lina-marsa', { und: 'Lina Marsa' })],
    ...wish,
  }
}

export const aSelection = (
  kind: Selection['kind'],
  slug: string,
  names: Record<string, string>,
): Selection => ({ id: 1, kind, slug, names, descriptions: {} })

export const rivage = 'https://rivage.example'

export const aChannel = (wish: Partial<FeedChannel> = {}): FeedChannel => ({
  selfUrl: (format) => `${rivage}/${format}`,
  pageUrl: `${rivage}/`,
  title: 'Le Rivage',
  description: 'Le journal de Port-Clair',
  language: 'fr',
  copyright: 'Le Rivage',
  icon: { url: `${rivage}/assets/icon-144.png`, size: 144, largeUrl: `${rivage}/assets/icon-512.png` },
  stylesheetUrl: `${rivage}/assets/feed.css`,
  ...wish,
})

export const aFrame = { publicUrl: rivage, deskName: 'La rédaction' }
