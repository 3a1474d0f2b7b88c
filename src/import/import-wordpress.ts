import { stat } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import type { Actor } from '../domain/editor.ts'
import { DomainError } from '../errors.ts'
import { Attachments } from './attachments.ts'
import { createBatcher, type ImportReport, type ImportServices } from './batch.ts'
import { leftOutReason, toPost, type LeftOutReason, type PostContext } from './wordpress.ts'
import { readWxr, type WxrItem, type WxrReader } from './wxr.ts'
import type { Repairs } from './xml-repair.ts'

export interface WordpressReport extends ImportReport {
  leftOut: Partial<Record<LeftOutReason, number>>
  /** Comments that were not approved, or are no comments. */
  responsesLeftOut: number
  repairs: Repairs
}

export interface WordpressOptions {
  actor: Actor
  file: string
  /** BCP 47; undefined: each post's is told by its script. */
  language: string | undefined
  languages: string[]
  zone: string
  onProgress: (done: number, total: number, note: string) => void
}

/**
 * Imports a WordPress export (WXR). Every post is put under its own external id and keeps its guid, so a second
 * import changes nothing and an edited post is updated. The file is read twice: for its pictures, then for its posts.
 * @throws DomainError `no_such_file`, `not_wxr`, `doctype_refused`
 */
export async function importWordpress(
  services: ImportServices,
  options: WordpressOptions,
): Promise<WordpressReport> {
  const found = await stat(options.file).catch(() => undefined)
  // Read twice, so it cannot be a pipe.
  if (!found?.isFile()) {
    throw new DomainError('not_found', 'no_such_file', 'There is no such file, or it cannot be read.')
  }
  const { size } = found
  const pass = (number: 0 | 1) => {
    const reader = readWxr(createReadStream(options.file))
    const showProgress = (note: string) => {
      options.onProgress(number * size + reader.source.bytes(), 2 * size, note)
    }
    return { reader, showProgress }
  }
  const attachments = new Attachments()
  try {
    const site = await survey(attachments, pass(0))
    return await importPosts(services, { ...options, ...site, attachments }, pass(1))
  } finally {
    attachments.close()
  }
}

interface Pass {
  reader: WxrReader
  showProgress: (note: string) => void
}

/** The first pass: pictures and authors, and whether this is an export at all. */
async function survey(attachments: Attachments, { reader, showProgress }: Pass) {
  const authors = new Map<string, string>()
  for await (const parts of reader.parts) {
    for (const part of parts) {
      if (part.kind === 'author') authors.set(part.login, part.name)
      else if (part.item.fields.type === 'attachment') attachments.add(part.item)
    }
    showProgress('looking for pictures')
  }
  const site = reader.site.baseUrl || reader.site.link
  if (!reader.isWxr() || !URL.canParse(site)) {
    throw new DomainError(
      'invalid',
      'not_wxr',
      'This is not an export of WordPress: make one under Tools, Export, "All content".',
    )
  }
  return { authors, baseUrl: site, idPrefix: idPrefixOf(site) }
}

async function importPosts(
  services: ImportServices,
  context: PostContext & { actor: Actor },
  { reader, showProgress }: Pass,
): Promise<WordpressReport> {
  const batcher = createBatcher(services, context.actor, context.baseUrl)
  const { report } = batcher
  const leftOut: WordpressReport['leftOut'] = {}
  let responsesLeftOut = 0
  const importItem = async (item: WxrItem) => {
    const reason = leftOutReason(item)
    if (reason) {
      leftOut[reason] = (leftOut[reason] ?? 0) + 1
      return
    }
    const name = { id: item.fields.id ?? '', title: item.fields.title ?? '', line: item.line }
    if (item.isTooLong) {
      report.posts += 1
      batcher.refuse(name, 'a text of more than 4 million characters, or 16 million in all, is no post')
      return
    }
    const post = toPost(item, context)
    responsesLeftOut += post.responsesLeftOut
    await batcher.add(post, name)
  }
  for await (const parts of reader.parts) {
    for (const part of parts) if (part.kind === 'item') await importItem(part.item)
    showProgress(`${report.posts} posts`)
  }
  await batcher.end()
  if (!reader.isComplete())
    batcher.refuse(undefined, 'The file ends in the middle; what came before is imported')
  return { ...report, leftOut, responsesLeftOut, repairs: reader.source.repairs }
}

/** Two sites may both have a post 1. */
function idPrefixOf(site: string): string {
  const { host, pathname } = new URL(site)
  return `wp:${host}${pathname.replace(/\/$/, '').replaceAll('/', '-')}`
    .replace(/[^\p{L}\p{N}._~:-]/gu, '_')
    .slice(0, 150)
}
