/** How often each kind of malformation was put right. */
export interface Repairs {
  /** A bare `&`. */
  ampersands: number
  /** An HTML entity that XML does not know, such as `&nbsp;`. */
  entities: number
  /** A control character or a reference to one. */
  characters: number
  /** A `<` that opens nothing. */
  brackets: number
  /** `]]>` inside a CDATA section or in plain text. */
  sections: number
  /** Bytes that are not in the encoding of the file. */
  bytes: number
  /** Tags that do not match. */
  tags: number
}

export const noRepairs = (): Repairs => ({
  ampersands: 0,
  entities: 0,
  characters: 0,
  brackets: 0,
  sections: 0,
  bytes: 0,
  tags: 0,
})
