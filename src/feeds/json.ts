import type { FeedContent, FeedItem } from './feed-content.ts'

/** JSON Feed 1.1. It has no date of its own: each item carries its dates. */
export function writeJson(content: FeedContent): string {
  const document = {
    version: 'https://jsonfeed.org/version/1.1',
    title: content.title,
    home_page_url: content.pageUrl,
    feed_url: content.selfUrl('feed.json'),
    description: content.description,
    language: content.language,
    icon: content.icon?.largeUrl,
    favicon: content.icon?.url,
    items: content.items.map(toItem),
  }
  return `${JSON.stringify(document, undefined, 1)}\n`
}

function toItem(item: FeedItem) {
  const [picture] = item.pictures
  return {
    id: item.guid,
    url: item.url,
    title: item.title,
    content_html: item.html,
    summary: item.summary,
    image: picture?.url,
    date_published: item.publishedAt.toISOString(),
    date_modified: item.updatedAt.toISOString(),
    authors: item.authors.length > 0 ? item.authors : [{ name: item.byline }],
    tags: item.categories.map(({ name }) => name),
    language: item.language,
    attachments: item.enclosure && [
      {
        url: item.enclosure.url,
        mime_type: item.enclosure.type,
        size_in_bytes: item.enclosure.length || undefined,
        title: item.enclosure.title,
      },
    ],
  }
}
