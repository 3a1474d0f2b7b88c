import { nameOfActor, type Actor } from '../domain/editor.ts'
import { isLanguageTag, isZone, type Publication } from '../domain/publication.ts'
import { DomainError } from '../errors.ts'
import type { Parts } from './parts.ts'

export type PublicationService = ReturnType<typeof createPublicationService>

export function createPublicationService({ database }: Pick<Parts, 'database'>) {
  return {
    find: (): Promise<Publication | undefined> => database.stores.publication.find(),

    /** @throws DomainError `not_found` until the installation was migrated and named */
    async get(): Promise<Publication> {
      const publication = await database.stores.publication.find()
      if (!publication) {
        throw new DomainError(
          'not_found',
          'no_publication',
          'This installation has no name yet: run `npx depeche publication set`.',
        )
      }
      return publication
    },

    /** @throws DomainError `invalid_input` for a zone or language that does not exist */
    async set(change: Partial<Publication>, actor: Actor): Promise<Publication> {
      return database.transaction(async (stores) => {
        const before = await stores.publication.find()
        const after = { ...unnamed, ...before, ...change }
        check(after)
        await stores.publication.put(after)
        await stores.audit.insert({ actor: nameOfActor(actor), action: 'publication.changed' })
        return after
      })
    },
  }
}

const unnamed: Publication = {
  name: 'Dépêche',
  description: '',
  languages: ['fr'],
  zone: 'Africa/Algiers',
  locales: {},
  deskName: 'La rédaction',
  postalAddress: undefined,
  contactEmail: undefined,
  policyUrl: undefined,
  policyVersion: '1',
  ambiguousPolicy: 'resend_once',
}

function check({ zone, languages }: Publication): void {
  const fields = [
    ...(isZone(zone) ? [] : [{ field: 'zone', message: 'must be an IANA zone such as Africa/Algiers' }]),
    ...(languages.length > 0 && languages.every(isLanguageTag)
      ? []
      : [{ field: 'languages', message: 'must be BCP 47 tags such as fr or ar-DZ, at least one' }]),
  ]
  if (fields.length === 0) return
  throw new DomainError('invalid', 'invalid_input', 'Some settings are not valid.', { fields })
}
