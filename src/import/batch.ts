import type { Actor } from '../domain/editor.ts'
import { withoutUndefined } from '../domain/fields.ts'
import { DomainError } from '../errors.ts'
import { fitPost, sentenceOf, sentences, type GivenPost } from './fit-post.ts'
import { plainText } from './plain-text.ts'
import type { ArticleToPut, PutResult } from '../services/articles/put-article.ts'
import { externalId, responseInput } from '../services/articles/input.ts'
import type { NewSelection } from '../store/articles/selections.ts'
import type { Services } from '../services/services.ts'
import type { ResponseToPut } from '../services/responses/responses.ts'

/** With what comes along. */
export interface ImportedPost extends GivenPost {
  selections: NewSelection[]
  responses: { externalId: string; input: Record<string, unknown> }[]
  /** Sentences about what is not as it was there. */
  notes: string[]
}

export type ImportServices = Pick<Services, 'articles' | 'responses' | 'selections'>

/** A post, and a sentence about it. */
export interface ImportLine {
  id: string
  title: string
  /** Where there are several. */
  file?: string | undefined
  /** Of the file; 0 where it has none. */
  line: number
  message: string
}

export type ImportReport = ReturnType<typeof emptyReport>

const emptyReport = () => ({
  /** What begins in the file as an item: posts, and what is left out. */
  items: 0,
  posts: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  /** Among the unchanged: what is stored is newer, so what the file says was not written. */
  older: 0,
  /** Among the unchanged: the desk or the API has corrected it, and its words stay. */
  held: 0,
  responses: { created: 0, updated: 0, unchanged: 0 },
  /** Posts whose guid another post has: they were given one of their own. */
  newGuids: 0,
  failed: 0,
  /** What could not be imported, the first thousand. */
  errors: [] as ImportLine[],
  noted: 0,
  /** What was imported otherwise than it was there, the first thousand. */
  notes: [] as ImportLine[],
})

export type ItemName = Omit<ImportLine, 'message'>

/** A batch is full at either: stories may be of two thousand characters or of a million. */
const batchSize = 100
const batchCharacters = 1_000_000
/** A statement takes 65,535 values, and one post may have more responses than there are posts. */
const responseBatchSize = 1_000
const mostRemarks = 1_000

/** An article to put, with what is put after it. */
interface Entry extends Pick<ImportedPost, 'selections' | 'responses' | 'notes'> {
  article: ArticleToPut
  name: ItemName
}

/** A response under an article that is stored, with the name of its post. */
type NamedResponse = ResponseToPut & { name: ItemName }

const refused = 'the database refused it; look for what is unusual in its texts'

/**
 * Writes posts in batches, the next one being read while the last is written. What is wrong with one post is
 * reported and stops no other.
 */
export function createBatcher(services: ImportServices, actor: Actor, baseUrl: string) {
  const report = emptyReport()
  let refusedPosts = 0
  let entries = new Map<string, Entry>()
  let characters = 0
  let writing: Promise<void> = Promise.resolve()

  const append = (lines: ImportLine[], name: ItemName | undefined, message: string) => {
    if (lines.length >= mostRemarks) return
    const title = plainText(name?.title ?? '').slice(0, 120)
    lines.push({ id: '', line: 0, ...name, title, message })
  }
  const refuse = (name: ItemName | undefined, message: string) => {
    report.failed += 1
    append(report.errors, name, message)
  }
  const refusePost = (name: ItemName | undefined, message: string) => {
    refusedPosts += 1
    refuse(name, message)
  }
  const note = (name: ItemName, message: string) => {
    report.noted += 1
    append(report.notes, name, message)
  }

  const checkResponses = (entry: Entry, articleId: number): NamedResponse[] => {
    const checked = new Map<string, NamedResponse>()
    for (const response of entry.responses) {
      const input = responseInput.safeParse(withoutUndefined(response.input), sentences)
      const id = externalId.safeParse(response.externalId)
      if (input.success && id.success)
        checked.set(id.data, { articleId, externalId: id.data, input: input.data, name: entry.name })
      else refuse(entry.name, `response ${response.externalId}: ${sentenceOf(input.error ?? id.error)}`)
    }
    return [...checked.values()]
  }

  const writeResponses = async (responses: NamedResponse[]): Promise<void> => {
    try {
      const put = await services.responses.putBatch(responses, baseUrl)
      report.responses.created += put.created
      report.responses.updated += put.updated
      report.responses.unchanged += responses.length - put.created - put.updated
    } catch (error) {
      if (!isAboutData(error)) throw error
      if (responses.length > 1) for (const one of responses) await writeResponses([one])
      else
        for (const { name, externalId } of responses)
          refuse(name, `response ${externalId}: ${error instanceof DomainError ? error.message : refused}`)
    }
  }

  const writeArticles = async (batch: Entry[]): Promise<PutResult[]> => {
    try {
      return await services.articles.putBatch(batch.map((entry) => entry.article))
    } catch (error) {
      if (!isAboutData(error)) throw error
      if (batch.length > 1) return (await Promise.all(batch.map((entry) => writeArticles([entry])))).flat()
      refusePost(batch[0]?.name, refused)
      return []
    }
  }

  const write = async (batch: Entry[]): Promise<void> => {
    if (batch.length === 0) return
    const byId = new Map(batch.map((entry) => [entry.article.externalId, entry]))
    await services.selections.ensure(batch.flatMap((entry) => entry.selections))
    const responses: NamedResponse[] = []
    for (const result of await writeArticles(batch)) {
      const entry = byId.get(result.externalId)
      if (!entry) continue
      if ('error' in result) refusePost(entry.name, result.error.message)
      else {
        report[result.outcome] += 1
        if (result.outcome !== 'unchanged') for (const message of entry.notes) note(entry.name, message)
        if (result.hasNewGuid) report.newGuids += 1
        if (result.kept) report[result.kept] += 1
        responses.push(...checkResponses(entry, result.id))
      }
    }
    for (let at = 0; at < responses.length; at += responseBatchSize) {
      await writeResponses(responses.slice(at, at + responseBatchSize))
    }
  }

  const flush = async () => {
    const batch = [...entries.values()]
    entries = new Map()
    characters = 0
    await writing
    writing = write(batch)
    // Awaited with the next batch; an error until then must not end the process.
    writing.catch(() => undefined)
  }

  return {
    report,
    /** An error of the whole file, or of an item that was there before and is missing now. */
    refuse,

    /** Says what an editor should know of an item. */
    note,

    /** Counts a post that cannot be read. */
    addUnreadable(name: ItemName, message: string): void {
      report.posts += 1
      refusePost(name, message)
    },

    async add(post: ImportedPost, name: ItemName): Promise<void> {
      report.posts += 1
      const checked = fitPost(post)
      if (typeof checked === 'string') {
        refusePost(name, checked)
        return
      }
      const { article } = checked
      // The same post twice in one file: the later one is an edit of the first.
      if (entries.has(article.externalId)) await flush()
      const { selections, responses } = post
      const notes = [...post.notes, ...checked.notes]
      entries.set(article.externalId, { article, selections, responses, notes, name })
      characters += [post, ...responses].reduce((sum, { input }) => sum + String(input['html']).length, 0)
      if (entries.size >= batchSize || characters >= batchCharacters) await flush()
    },

    /**
     * Writes what is left; the feeds hear of the whole import once.
     * @param items that begin in the file, of which `others` are no posts
     */
    async end(items: number, others = 0): Promise<void> {
      await flush()
      await writing
      const { posts, created, updated, unchanged } = report
      report.items = items
      const told = created + updated + unchanged + refusedPosts
      if (told < posts)
        refuse(
          undefined,
          `${posts} posts were read, but what became of ${told} alone is known; import the file again`,
        )
      if (posts + others < items) {
        refuse(
          undefined,
          `${items} items begin in the file, but ${posts + others} could be told apart: look where one has no end, and export it again`,
        )
        // The line counts as one of them.
        report.failed += items - posts - others - 1
      }
      await services.articles.endImport({ actor, url: baseUrl, created, updated })
    },
  }
}

/** PostgreSQL's classes 22 (data) and 23 (constraint), and what we say ourselves; anything else stops the import. */
const isAboutData = (error: unknown): boolean =>
  error instanceof DomainError || /^2[23]/.test(String((error as { code?: unknown }).code))
