import { open as openFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Actor } from '../../domain/editor.ts'
import { foldUrl, siteKeyOf } from '../../domain/articles/identity.ts'
import { invalid, notFound, type DomainError } from '../../errors.ts'
import { knownSections } from '../../services/articles/selections.ts'
import { openAttachments, type Attachments } from './attachments.ts'
import { createBatcher, type ImportReport, type ImportServices, type ItemName } from '../batch.ts'
import { foreignNote } from '../notes.ts'
import { bytesOf } from '../xml/file-bytes.ts'
import { faultOf, leftOutReason, type LeftOutReason } from './left-out.ts'
import { externalIdOf, guestAuthorOf, postLanguage, toPost, type PostContext } from './wxr-post.ts'
import { readWxr, type WxrItem, type WxrReader } from './wxr.ts'
import { readingOf, type Reading } from '../xml/xml.ts'
import { noRepairs, type Repairs } from '../xml/repairs.ts'

export interface WordpressReport extends ImportReport {
  leftOut: Partial<Record<LeftOutReason, number>>
  /** Comments that were not approved, or are no comments. */
  responsesLeftOut: number
  /** What posts show and no file has. */
  picturesMissing: number
  repairs: Repairs
}

export interface WordpressOptions {
  actor: Actor
  /** A large export comes in several. */
  files: string[]
  /** BCP 47; undefined: each post's is told by its script. */
  language: string | undefined
  languages: string[]
  zone: string
  /** Homes of the sites of WordPress that are followed: what they scheduled is theirs to publish. */
  followed?: string[]
  onProgress: (done: number, total: number, note: string) => void
}

/** One file of the export. */
interface Part {
  file: string
  /** In sentences, where there are several. */
  name: string | undefined
  size: number
  reading: Reading
}

interface Pass {
  reader: WxrReader
  part: Part
  showProgress: (note: string) => void
}

/** How often each file is read: for its encoding, for its faults, for its pictures, for its posts. */
const passes = 4

/**
 * Imports a WordPress export (WXR). Every post is put under its own external id and keeps its guid, so a second
 * import changes nothing and an edited post is updated. A post's picture may be in another file than the post.
 * @throws DomainError `no_file`, `not_wxr`, `different_sites`, `doctype_refused`, `xml_too_deep`
 */
export async function importWordpress(services: ImportServices, options: WordpressOptions) {
  const sizes = await Promise.all(options.files.map(sizeOf))
  const total = passes * sizes.reduce((sum, size) => sum + size, 0)
  let done = 0
  const show = (bytes: number, note: string) => {
    options.onProgress(done + bytes, total, note)
  }
  const parts: Part[] = []
  for (const [index, file] of options.files.entries()) {
    const size = sizes[index] ?? 0
    const name = options.files.length > 1 ? basename(file) : undefined
    const reading = await readingOf(
      () => bytesOf(file),
      undefined,
      (bytes) => {
        show(bytes, 'checking the file')
      },
    )
    parts.push({ file, name, size, reading })
    done += 2 * size
  }
  function* pass(): Generator<Pass> {
    for (const part of parts) {
      const reader = readWxr(bytesOf(part.file), part.reading)
      const showProgress = (note: string) => {
        show(reader.source.bytes(), note)
      }
      yield { reader, part, showProgress }
      done += part.size
    }
  }
  const attachments = openAttachments()
  try {
    const site = await survey(attachments, pass())
    const sections = knownSections(await services.selections.list('section'))
    const { followed = [] } = options
    const isFollowed = followed.some((home) => foldUrl(home) === foldUrl(site.baseUrl))
    return await importPosts(services, { ...options, ...site, isFollowed, sections, attachments }, pass())
  } finally {
    attachments.close()
  }
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined)
  // Read several times, so it cannot be a pipe.
  if (!found?.isFile()) {
    throw notFound('no_file', `There is no such file, or it cannot be read: ${file}`)
  }
  return found.size
}

/** Pictures and authors of all files, and whether they are of one export at all. */
async function survey(attachments: Attachments, pass: Iterable<Pass>) {
  const authors = new Map<string, string>()
  const sites: string[] = []
  const languages: string[] = []
  for (const { reader, part, showProgress } of pass) {
    for await (const found of reader.parts) {
      for (const one of found) {
        if (one.kind === 'author') authors.set(one.login, one.name)
        else {
          attachments.add(one.item)
          const guest = guestAuthorOf(one.item)
          for (const login of guest?.logins ?? []) authors.set(login, guest?.name ?? '')
        }
      }
      showProgress('looking for pictures')
    }
    const site = reader.site.baseUrl || reader.site.link
    if (!reader.isWxr() || !URL.canParse(site)) throw await notWxr(part)
    sites.push(site)
    languages.push(reader.site.language)
  }
  const [baseUrl = ''] = sites
  const other = sites.find((site) => idPrefixOf(site) !== idPrefixOf(baseUrl))
  if (other !== undefined) throw differentSites(baseUrl, other)
  return {
    authors,
    baseUrl,
    idPrefix: idPrefixOf(baseUrl),
    siteLanguage: languages[0] ?? '',
    readAt: new Date(),
  }
}

async function importPosts(
  services: ImportServices,
  context: PostContext & { actor: Actor; isFollowed: boolean },
  pass: Iterable<Pass>,
): Promise<WordpressReport> {
  const batcher = createBatcher(services, context.actor, context.baseUrl)
  const { report } = batcher
  const leftOut: WordpressReport['leftOut'] = {}
  const counts = { responsesLeftOut: 0, items: 0, others: 0 }
  const repairs = noRepairs()
  /** What is no longer public there, and may be here: an import withdraws nothing. */
  const hidden: { externalId: string; name: ItemName; words: string }[] = []
  const leaveOut = (item: WxrItem, part: Part, reason: LeftOutReason) => {
    leftOut[reason] = (leftOut[reason] ?? 0) + 1
    counts.others += 1
    const words = hiddenWords[reason]
    if (words === undefined) return
    hidden.push({
      externalId: externalIdOf(item, context),
      name: nameOf(item, part),
      words,
    })
  }
  const awaitedReason = ({ fields }: WxrItem) =>
    context.isFollowed && fields.status === 'future' ? 'scheduled' : undefined
  const importItem = async (item: WxrItem, part: Part) => {
    const fault = faultOf(item)
    const reason = fault === undefined ? (leftOutReason(item) ?? awaitedReason(item)) : undefined
    if (fault !== undefined) batcher.addUnreadable(nameOf(item, part), fault)
    else if (reason) leaveOut(item, part, reason)
    else {
      const language = postLanguage(item, context)
      if (language === undefined) {
        leaveOut(item, part, 'language')
        batcher.note(nameOf(item, part), foreignNote)
        return
      }
      const post = toPost(item, language, context)
      counts.responsesLeftOut += post.responsesLeftOut
      await batcher.add(post, nameOf(item, part))
    }
  }
  for (const { reader, part, showProgress } of pass) {
    for await (const found of reader.parts) {
      for (const one of found) if (one.kind === 'item') await importItem(one.item, part)
      showProgress(`${report.posts} posts`)
    }
    const pending = reader.pending()
    if (pending) batcher.addUnreadable(nameOf(pending, part), truncated)
    else if (!reader.isComplete()) batcher.refuse(nameOf(undefined, part), truncated)
    counts.items += reader.items()
    for (const kind of Object.keys(repairs) as (keyof Repairs)[]) repairs[kind] += reader.source.repairs[kind]
  }
  const stillPublic = await services.articles.listPublic(hidden.map(({ externalId }) => externalId))
  for (const { externalId, name, words } of hidden) {
    if (stillPublic.has(externalId)) batcher.note(name, `${words} there, and public here: withdraw it`)
  }
  await batcher.end(counts.items, counts.others)
  const { responsesLeftOut } = counts
  const picturesMissing = context.attachments.countMissing()
  return { ...report, leftOut, responsesLeftOut, picturesMissing, repairs }
}

const idPrefixOf = (site: string): string => `wp:${siteKeyOf(site)}`

const hiddenWords: Partial<Record<LeftOutReason, string>> = {
  trash: 'it is in the trash',
  private: 'it is private',
  password: 'it needs a password',
}

const truncated =
  'The file ends in the middle: what came before is imported; export it again, and import it once more'

const nameOf = (item: WxrItem | undefined, { name }: Part) => ({
  id: item?.fields.id ?? '',
  title: item?.fields.title ?? '',
  line: item?.line ?? 0,
  ...(name !== undefined && { file: name }),
})

async function notWxr({ file, name }: Part): Promise<DomainError> {
  const handle = await openFile(file)
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4).finally(() => handle.close())
  const isPacked = buffer.toString('latin1') === 'PK\u0003\u0004' || buffer.readUInt16BE() === 0x1f8b
  return invalid(
    'not_wxr',
    isPacked
      ? `${name ?? 'This file'} is packed: unpack it and import the XML files that are in it, all in one command.`
      : `${name ?? 'This file'} is not an export of WordPress: make one under Tools, Export, "All content".`,
  )
}

const differentSites = (one: string, other: string) =>
  invalid(
    'different_sites',
    `These files are exports of different sites (${one} and ${other}): import each site by itself.`,
  )
