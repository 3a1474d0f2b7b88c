import { isPerLanguage, noTexts, textFields, textIn, type Publication } from '../../domain/publication.ts'
import type { Executor } from '../executor.ts'

export function publicationStore(db: Executor) {
  return {
    async get(): Promise<Publication> {
      const {
        onlyRow: _o,
        updatedAt: _u,
        texts,
        look,
        ...row
      } = await db
        .selectFrom('publication')
        .selectAll()
        .$narrowType<
          Pick<Publication, 'ambiguousPolicy' | 'links' | 'feedText' | 'responses' | 'trackbacks'>
        >()
        .executeTakeFirstOrThrow()
      return {
        ...row,
        locales: row.locales as Publication['locales'],
        ...readTexts(row, texts as Record<string, unknown>),
        ...{ ...noLook, ...(look as Look) },
      }
    },

    /** Until the transaction ends nobody else changes it. */
    async lock(): Promise<void> {
      await db.selectFrom('publication').select('onlyRow').forUpdate().execute()
    },

    async update(given: Publication): Promise<void> {
      const { footer, contacts, legalLinks, accent, logo, logoDark, icon, ...publication } = given
      const { name, description, deskName, postalAddress } = publication
      const [first = ''] = publication.languages
      await db
        .updateTable('publication')
        .set({
          ...publication,
          name: textIn(name, first),
          description: textIn(description, first),
          deskName: textIn(deskName, first),
          postalAddress: textIn(postalAddress, first),
          texts: JSON.stringify({ name, description, deskName, postalAddress, footer, contacts, legalLinks }),
          look: JSON.stringify({ accent, logo, logoDark, icon }),
          locales: JSON.stringify(publication.locales),
          updatedAt: new Date(),
        })
        .execute()
    },
  }
}

type Look = Pick<Publication, 'accent' | 'logo' | 'logoDark' | 'icon'>
const noLook: Look = { accent: null, logo: null, logoDark: null, icon: null }

/** What has a column stands in it for the first language, where the version before this one may have changed it. */
const readTexts = (row: Record<string, unknown> & { languages: string[] }, texts: Record<string, unknown>) =>
  Object.fromEntries(
    textFields.map((field) => {
      const [first = ''] = row.languages
      const own = texts[field]
      const stored = isPerLanguage(own) ? own[first] : (own ?? noTexts[field])
      const text = field in row ? row[field] : stored
      return [field, isPerLanguage(own) ? { [first]: text, ...own, ...{ [first]: text } } : text]
    }),
  ) as unknown as Pick<Publication, keyof typeof noTexts>
