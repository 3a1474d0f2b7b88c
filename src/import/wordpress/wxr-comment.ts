import type { ReadingContext } from '../../services/sources/site.ts'
import { readDate } from '../dates.ts'
import { plainText } from '../plain-text.ts'
import { toParagraphs } from './wordpress-html.ts'
import type { WxrComment, WxrItem } from './wxr.ts'

const kinds: Record<string, 'response' | 'trackback'> = {
  '': 'response',
  comment: 'response',
  pingback: 'trackback',
  trackback: 'trackback',
}

export const isShown = (comment: WxrComment): boolean =>
  comment.approved === '1' && kinds[comment.type] !== undefined

interface ResponseContext {
  item: WxrItem
  context: Pick<ReadingContext, 'zone'>
  publishing: { publishedAt: string | undefined }
  notes: string[]
}

export function toResponse(comment: WxrComment, { item, context, publishing, notes }: ResponseContext) {
  const date = readDate(comment.dateGmt, 'UTC') ?? readDate(comment.date, context.zone)
  const publishedAt = date?.toISOString() ?? publishing.publishedAt
  const { guid } = item.fields
  if (!date)
    notes.push(
      `response ${comment.id} has no date${publishedAt ? ', and was given that of its post' : ' and is left out: its post has none, too'}`,
    )
  if (publishedAt === undefined) return []
  return {
    externalId: comment.id,
    input: {
      author: plainText(comment.author) || '—',
      authorUrl: /^https?:\/\/./i.test(comment.url) && URL.canParse(comment.url) ? comment.url : undefined,
      html: toParagraphs(comment.content.replace(/\r\n?/g, '\n')),
      publishedAt,
      kind: kinds[comment.type],
      // What WordPress itself puts into its comment feeds: no reader shows an old response as new.
      guid: guid ? `${guid}#comment-${comment.id}` : undefined,
    },
  }
}
