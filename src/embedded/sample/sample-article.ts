/** An article of the sample newsroom; its date is relative, so that tomorrow's digest always has material. */
export interface SampleArticle {
  externalId: string
  hoursAgo: number
  title: string
  deck: string
  html: string
  sections: string[]
  dossiers?: string[]
  tags?: string[]
  authors: string[]
  /** A file of templates/assets/sample, without its ending. */
  picture?: { name: string; alt: string; credit: string }
  responses: 'open' | 'closed'
  views: { before: number; today: number }
}
