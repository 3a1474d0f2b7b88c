import type { DeskCall, DeskRoute } from '../../http/desk.ts'
import { atField, DomainError, invalid } from '../../errors.ts'
import { mostPictureBytes } from '../../domain/media.ts'
import type { MediaService } from '../../services/media/media.ts'
import { cleanLine } from '../../domain/text.ts'

/** Before a form is read: what its files become. */
type Take = (call: DeskCall) => Promise<void>

/** A form with files: it is sent as multipart, and comes back with what was taken. */
export const withPictures = (route: DeskRoute, take: Take): DeskRoute => ({
  ...route,
  pictureLimit: mostPictureBytes,
  handle: async (call) => {
    await take(call)
    await route.handle(call)
  },
})

/**
 * Keeps the picture of a form's field; undefined where none was chosen.
 * @throws DomainError about the field; `pictureFault` tells the page which
 */
export async function takePicture(call: DeskCall, field: string, media: MediaService) {
  const bytes = call.pictures.get(field)
  if (!bytes) return undefined
  try {
    return (await media.takePicture(bytes, call.actor)).picture
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    call.response.locals['pictureFault'] = `pictures.${error.code}`
    throw new DomainError(error.kind, error.code, error.message, { field })
  }
}

/**
 * Puts the picture of `textPicture` below what is written, as Markdown. Without words for whoever does not see it, the
 * form keeps it until they are there.
 */
export async function addToText(call: DeskCall, field: string, media: MediaService): Promise<void> {
  const body = call.request.body as Record<string, unknown>
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '')
  const url = (await takePicture(call, 'textPicture', media))?.textUrl ?? text('textUrl')
  if (url === '') return
  body['textUrl'] = url
  const alt = cleanLine(text('textAlt')).replace(/[\\[\]]/g, '\\$&')
  if (alt === '')
    throw invalid('invalid_input', 'Say what the picture shows.', atField('textAlt', 'is missing'))
  body[field] = `${text(field).trimEnd()}\n\n![${alt}](${url})\n`.trimStart()
  body['textUrl'] = body['textAlt'] = ''
}
