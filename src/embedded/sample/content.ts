import { readFileSync } from 'node:fs'
import type { Cadence, Newsletter } from '../../domain/newsletter.ts'
import type { Publication } from '../../domain/publication.ts'
import type { NewSelection } from '../../store/articles/selections.ts'

/** An article of the sample newsroom; its date is relative, so that tomorrow's digest always has material. */
export interface SampleArticle {
  externalId: string
  hoursAgo: number
  title: string
  deck: string
  /** A line each. */
  html: string[]
  sections: string[]
  dossiers?: string[]
  tags?: string[]
  authors: string[]
  /** A file of templates/assets/sample, without its ending. */
  picture?: { name: string; alt: string; credit: string }
  responses: 'open' | 'closed'
  views: { before: number; today: number }
}

export interface SampleReader {
  /** Before `@reader.example`. */
  name: string
  language: string
  subscriptions: { newsletter: string; cadence: Cadence; alerts?: boolean; sections?: string[] }[]
}

interface SampleResponse {
  article: string
  author: string
  authorUrl?: string
  kind?: 'trackback'
  html: string
  hoursAgo: number
}

/** An invented bilingual newspaper in an invented harbour town; every person in it is invented too. */
interface SampleNewsroom {
  publication: Partial<Publication>
  selections: (NewSelection & { descriptions?: Record<string, string> })[]
  newsletters: Pick<
    Newsletter,
    'slug' | 'name' | 'description' | 'language' | 'blocks' | 'maxArticles' | 'cadences' | 'repeats'
  >[]
  readers: SampleReader[]
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../templates/sample/${name}.json`, import.meta.url), 'utf8'))

export const sampleArticles = {
  fr: read('articles.fr') as SampleArticle[],
  ar: read('articles.ar') as SampleArticle[],
}
export const sampleNewsroom = read('newsroom') as SampleNewsroom
export const sampleResponses = read('responses') as SampleResponse[]
