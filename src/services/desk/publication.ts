import { isLanguageTag, mayBeLanguage } from '../../domain/language.ts'
import { isZone } from '../../domain/calendar.ts'
import { activationLifetimeMs } from '../../domain/signups/activation.ts'
import { findAddress } from '../../domain/subscribers/address.ts'
import type { Actor } from '../../domain/editor.ts'
import {
  changeTexts,
  feedTexts,
  links,
  lookPictures,
  switches,
  textIn,
  type Publication,
} from '../../domain/publication.ts'
import { atSize, fileAt, mediaNameAt } from '../../domain/media.ts'
import { atField, invalid } from '../../errors.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'
import { changesBetween } from './audit.ts'
import { ringForChange } from '../articles/public-change.ts'
import { singleFlight } from '../single-flight.ts'

export type PublicationService = ReturnType<typeof createPublicationService>

export function createPublicationService(
  parts: Pick<Parts, 'config' | 'database' | 'doorbell' | 'mail' | 'now'>,
) {
  const { database, doorbell } = parts
  return {
    get: singleFlight((): Promise<Publication> => database.stores.publication.get()),

    /** @throws DomainError `invalid_input` for an empty name, or a zone, language or address that is none */
    async set(change: Partial<Publication>, actor: Actor): Promise<Publication> {
      const changed = await database.transaction(async (stores) => {
        await stores.publication.lock()
        const before = await stores.publication.get()
        const after = {
          ...before,
          ...change,
          ...changeTexts(before, change),
          ...(await findPictures(change, stores, parts.config)),
        }
        check(after, before)
        await stores.publication.update(after)
        // Its name stands in every feed, and its links lead where it says.
        await stores.feedDocuments.markDirty([{ subject: '*' }])
        await stores.audit.insert(actor, 'publication.changed', '', changesBetween(before, after))
        return after
      })
      await ringForChange(doorbell)
      return changed
    },

    /** The mail that asks a new reader to confirm, in a language, as it looks now: HTML. */
    async previewMail(language: string): Promise<string> {
      const { config, mail, now } = parts
      const publication = await database.stores.publication.get()
      const url = `${config.publicUrl}/activate/preview`
      const ofLanguage = (await database.stores.newsletters.list()).filter((one) => one.language === language)
      const own = { name: textIn(publication.name, language), description: '' }
      const shown = ofLanguage.length > 0 ? ofLanguage : [own]
      const content = {
        kind: 'activation' as const,
        activateUrl: url,
        refuseUrl: url,
        expiresAt: new Date(now().getTime() + activationLifetimeMs),
        newsletters: shown.map(({ name, description }) => ({ name, description, next: undefined })),
        address: 'lectrice@example.org',
      }
      return (await mail.composePersonal(content, publication, language)).html
    },
  }
}

/** What is known of the pictures that a change names. @throws DomainError `invalid_input` */
async function findPictures(
  change: Partial<Publication>,
  { media }: Stores,
  { publicUrl }: { publicUrl: string },
): Promise<Partial<Publication>> {
  const found: Partial<Publication> = {}
  for (const field of lookPictures) {
    const given = change[field]?.url
    if (given === undefined) continue
    const url = atSize(given, publicUrl, 960)
    const name = mediaNameAt(url, publicUrl)
    // Not every mail program shows WebP.
    const file = name && name.format !== 'webp' && fileAt(name, await media.listFiles([name.sha256]))
    if (!file) throw notThis(field, 'must be the url of a picture that was uploaded here')
    if (field === 'icon' && file.width !== file.height) throw notThis(field, 'must be square')
    found[field] = { url, width: file.width, height: file.height }
  }
  return found
}

const notThis = (field: string, message: string) =>
  invalid('invalid_input', 'Some settings are not valid.', atField(field, message))

function check(
  { name, deskName, zone, languages, contactEmail, ...shown }: Publication,
  before: Publication,
): void {
  const [first = ''] = languages
  const fields = [
    ...Object.entries({ name, deskName })
      .filter(([, text]) => textIn(text, first).trim() === '')
      .map(([field]) => ({ field, message: 'must not be empty' })),
    ...(contactEmail === null || findAddress(contactEmail)
      ? []
      : [{ field: 'contactEmail', message: 'must be one e-mail address' }]),
    ...(isZone(zone) ? [] : [{ field: 'zone', message: 'must be an IANA zone such as Africa/Algiers' }]),
    ...(languages.length > 0 && languages.every(isLanguageTag) && new Set(languages).size === languages.length
      ? []
      : [
          { field: 'languages', message: 'must be BCP 47 tags such as fr or ar-DZ, at least one, each once' },
        ]),
    ...languages
      .filter((tag) => isLanguageTag(tag) && !mayBeLanguage(tag) && !before.languages.includes(tag))
      .map((tag) => ({ field: 'languages', message: `no language has the code ${tag}` })),
    ...oneOf('links', links, shown.links),
    ...oneOf('feedText', feedTexts, shown.feedText ?? 'full'),
    ...oneOf('responses', switches, shown.responses),
    ...oneOf('trackbacks', switches, shown.trackbacks),
  ]
  if (fields.length === 0) return
  throw invalid('invalid_input', 'Some settings are not valid.', { fields })
}

const oneOf = (field: string, known: readonly string[], value: string) =>
  known.includes(value) ? [] : [{ field, message: `must be ${known.join(' or ')}` }]
