import type { Sharp } from 'sharp'
import { mediaSizes, mostPixels } from '../../domain/media.ts'
import { answerOnce } from '../../isolation.ts'
import type { MadePicture } from './make-picture.ts'
import { sharp } from './sharp.ts'

/**
 * Makes the sizes of the picture it is sent, and ends. What a stranger made is decoded once, in a process of its own;
 * everything else is made of the pixels.
 */
answerOnce(make)

/** WebP has no more than 16,383. */
const tallest = 12_000

async function make(bytes: Uint8Array): Promise<MadePicture> {
  try {
    const { width, height, autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata()
    if (width * height > mostPixels) return { refusal: 'media_pixels' }
    return { ...autoOrient, files: await makeFiles(bytes) }
  } catch {
    return { refusal: 'media_unreadable' }
  }
}

async function makeFiles(bytes: Uint8Array) {
  // Of an animation the first frame.
  const decoded = await sharp(bytes, { failOn: 'error', limitInputPixels: mostPixels })
    .autoOrient()
    .resize(withinSize(Math.max(...mediaSizes)))
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = decoded.info
  const pixels = () => sharp(decoded.data, { raw: { width, height, channels } })
  const { isOpaque } = await pixels().stats()
  const files = []
  for (const size of mediaSizes.filter(
    (_size, index) => index === 0 || (mediaSizes[index - 1] ?? 0) < width,
  )) {
    for (const format of ['webp', isOpaque ? 'jpg' : 'png'] as const) {
      const image = pixels().resize(withinSize(size))
      const encoded = await encode(isOpaque ? image.removeAlpha() : image, format).toBuffer({
        resolveWithObject: true,
      })
      files.push({
        size,
        format,
        width: encoded.info.width,
        height: encoded.info.height,
        bytes: encoded.data,
      })
    }
  }
  return files
}

const withinSize = (width: number) =>
  ({ width, height: tallest, fit: 'inside', withoutEnlargement: true }) as const

const encode = (image: Sharp, format: 'webp' | 'jpg' | 'png') =>
  format === 'webp'
    ? image.webp({ quality: 80 })
    : format === 'jpg'
      ? image.jpeg({ quality: 82, mozjpeg: true })
      : image.png({ palette: true })
