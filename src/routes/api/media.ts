import { z } from 'zod'
import { post, type ApiRoute } from '../../http/route.ts'
import { readBody, readFilledForm } from '../../http/upload.ts'
import { mostPictureBytes } from '../../domain/media.ts'
import type { MediaService } from '../../services/media/media.ts'

const shape = z.object({
  sha256: z.string().describe('Of what was sent'),
  width: z.int().describe('Upright, as it was sent'),
  height: z.int(),
  type: z.string().describe('Of what was sent, by its bytes'),
  url: z.url().describe('The largest size: for the picture of an article'),
  textUrl: z.url().describe('For the text of an article or a letter'),
  urls: z.array(z.url()).describe('Of every size, the smallest first'),
})

export function mediaApi(media: MediaService): ApiRoute[] {
  return [
    post('/media', 'editor', {
      summary:
        'Keep a picture, as the body itself or the file of a form; the same bytes again are the same picture',
      body: 'stream',
      streams: ['image/*', 'multipart/form-data'],
      answers: { 200: shape, 201: shape },
      handle: async ({ request, actor }) => {
        const limit = { fields: 4_000, file: mostPictureBytes }
        const bytes = request.is('multipart/form-data')
          ? [...(await readFilledForm(request, limit)).files.values()][0]
          : await readBody(request, mostPictureBytes)
        const { isNew, picture } = await media.takePicture(bytes ?? Buffer.alloc(0), actor)
        return { status: isNew ? 201 : 200, body: picture, headers: { Location: picture.url } }
      },
    }),
  ]
}
