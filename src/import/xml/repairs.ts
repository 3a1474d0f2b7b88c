/** How often each kind of malformation was put right. */
export type Repairs = ReturnType<typeof noRepairs>

export const noRepairs = () => ({
  /** A bare `&`. */
  ampersands: 0,
  /** An HTML entity that XML does not know, such as `&nbsp;`. */
  entities: 0,
  /** A control character or a reference to one. */
  characters: 0,
  /** A `<` that opens nothing. */
  brackets: 0,
  /** `]]>` inside a CDATA section or in plain text. */
  sections: 0,
  /** Bytes that are not in the encoding of the file. */
  bytes: 0,
  /** Tags that do not match. */
  tags: 0,
})
