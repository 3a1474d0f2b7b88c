import { createWriteStream } from 'node:fs'
import { once } from 'node:events'

const words =
  'le phare de Port-Clair brille depuis hier soir sur la mer calme et les pêcheurs rentrent au matin avec leurs filets pleins'.split(
    ' ',
  )

const head = (site: string) => `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Le Rivage</title><link>${site}</link><language>fr</language>
<wp:wxr_version>1.2</wp:wxr_version><wp:base_site_url>${site}</wp:base_site_url><wp:base_blog_url>${site}</wp:base_blog_url>
<wp:author><wp:author_login><![CDATA[lina]]></wp:author_login><wp:author_display_name><![CDATA[Lina Marsa]]></wp:author_display_name></wp:author>
`

function itemOf(n: number, site: string): string {
  const paragraph = Array.from({ length: 60 }, (_, k) => words[(n * 7 + k * 3) % words.length]).join(' ')
  const body = `<!-- wp:paragraph -->\n<p>${paragraph}.</p>\n<!-- /wp:paragraph -->\n\n`.repeat(4)
  const day = String(1 + (n % 28)).padStart(2, '0')
  const date = `${2010 + (n % 15)}-0${1 + (n % 9)}-${day} 08:00:00`
  const picture =
    n % 5 === 0
      ? `<item><title>Photo ${n}</title><wp:post_id>${1_000_000 + n}</wp:post_id><wp:post_type><![CDATA[attachment]]></wp:post_type><wp:status>inherit</wp:status><wp:post_parent>${n}</wp:post_parent><wp:attachment_url><![CDATA[${site}/wp-content/uploads/${n}.jpg]]></wp:attachment_url></item>\n`
      : ''
  const meta =
    n % 5 === 0
      ? `<wp:postmeta><wp:meta_key><![CDATA[_thumbnail_id]]></wp:meta_key><wp:meta_value><![CDATA[${1_000_000 + n}]]></wp:meta_value></wp:postmeta>`
      : ''
  const comment =
    n % 3 === 0
      ? `<wp:comment><wp:comment_id>${n}</wp:comment_id><wp:comment_author><![CDATA[Nour]]></wp:comment_author><wp:comment_author_url>https://nour.example/?a=1&b=2</wp:comment_author_url><wp:comment_date_gmt>${date}</wp:comment_date_gmt><wp:comment_content><![CDATA[Merci pour cet article.]]></wp:comment_content><wp:comment_approved>1</wp:comment_approved><wp:comment_type>comment</wp:comment_type></wp:comment>`
      : ''
  return `<item><title><![CDATA[Le phare, jour ${n}]]></title><link>${site}/2020/01/phare-${n}/</link><dc:creator><![CDATA[lina]]></dc:creator><guid isPermaLink="false">${site}/?p=${n}</guid><content:encoded><![CDATA[${body}]]></content:encoded><excerpt:encoded><![CDATA[]]></excerpt:encoded><wp:post_id>${n}</wp:post_id><wp:post_date_gmt>${date}</wp:post_date_gmt><wp:comment_status>open</wp:comment_status><wp:post_name><![CDATA[phare-${n}]]></wp:post_name><wp:status><![CDATA[publish]]></wp:status><wp:post_type><![CDATA[post]]></wp:post_type><wp:post_password></wp:post_password><category domain="category" nicename="rubrique-${n % 12}"><![CDATA[Rubrique ${n % 12}]]></category><category domain="post_tag" nicename="mot-${n % 500}"><![CDATA[Mot ${n % 500}]]></category>${meta}${comment}</item>\n${picture}`
}

/** Writes an export of `posts` invented posts of about 2 kB, every fifth with a picture, every third with a response. */
export async function writeWxr(file: string, posts: number, site = 'https://ancien.example'): Promise<void> {
  const out = createWriteStream(file)
  out.write(head(site))
  for (let n = 1; n <= posts; n += 1) {
    if (!out.write(itemOf(n, site))) await once(out, 'drain')
  }
  out.end('</channel></rss>\n')
  await once(out, 'finish')
}
