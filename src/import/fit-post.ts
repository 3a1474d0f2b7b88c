import type { SourceMark } from '../domain/articles/source-verdict.ts'
import { cutAtSentence } from '../domain/articles/summary.ts'
import { withoutUndefined } from '../domain/fields.ts'
import { articleInput, externalId } from '../services/articles/input.ts'
import type { ArticleToPut, Origin } from '../services/articles/put-article.ts'
import { cutNote, leftOutNote } from './notes.ts'

/** A post as it was read, not validated yet. */
export interface GivenPost {
  externalId: string
  input: Record<string, unknown>
  origin: Origin
  source: SourceMark
}

interface Issue {
  code?: string
  path: PropertyKey[]
  maximum?: unknown
  message: string
}

/** Words that are cut where they are too long. */
const words = new Set<PropertyKey>(['title', 'summary', 'authors', 'tags', 'alt', 'credit'])
/** What a story can do without. */
const dispensable = new Set<PropertyKey>(['guid', 'canonicalUrl', 'picture', 'enclosure'])

/**
 * A post as it is put, with sentences about what is not as it was there; or the sentence that says what is wrong with
 * it: it is not lost over what only adorns it.
 */
export function fitPost(post: GivenPost): { article: ArticleToPut; notes: string[] } | string {
  const { origin, source } = post
  const given = withoutUndefined(post.input)
  let notes: string[] = []
  let input = articleInput.safeParse(given, sentences)
  if (!input.success) {
    const fitting = fit(given, input.error.issues)
    notes = fitting.notes
    input = articleInput.safeParse(fitting.input, sentences)
  }
  const id = externalId.safeParse(post.externalId)
  if (!input.success || !id.success) return sentenceOf(input.error ?? id.error)
  return { article: { externalId: id.data, input: input.data, origin, source }, notes }
}

function fit(given: Record<string, unknown>, issues: Issue[]) {
  const input = structuredClone(given)
  const notes = new Set<string>()
  for (const { code, path, maximum } of issues) {
    const [field = ''] = path
    if (code === 'too_big' && path.some((name) => words.has(name))) {
      shorten(input, path, Number(maximum))
      notes.add(cutNote(path.filter((name) => typeof name === 'string').join(' ')))
    } else if (dispensable.has(field)) {
      Reflect.deleteProperty(input, field)
      notes.add(leftOutNote(String(field)))
    }
  }
  return { input, notes: [...notes] }
}

function shorten(holder: object, [key = '', ...deeper]: PropertyKey[], length: number): void {
  const value: unknown = Reflect.get(holder, key)
  if (Array.isArray(value) && deeper.length === 0) value.length = length
  else if (typeof value === 'string') Reflect.set(holder, key, cutAtSentence(value, length))
  else if (value) shorten(value, deeper, length)
}

/** The validator's own words are made for programmers. */
export const sentences = {
  error: (issue: { code?: string; maximum?: unknown }) =>
    issue.code === 'too_small'
      ? 'must not be empty'
      : issue.code === 'too_big'
        ? `must not be longer than ${String(issue.maximum)} characters`
        : 'is not of a form that is taken',
}

export const sentenceOf = (error: { issues: Issue[] } | undefined): string =>
  error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ') ?? ''
