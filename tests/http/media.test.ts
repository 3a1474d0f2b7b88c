import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { expect, onTestFinished, test } from 'vitest'
import { startWorking } from '../../workers/working.ts'
import { aPicture, anUpload, aWebWithPictures, upload, type Uploaded } from '../support/pictures.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb, type Web } from '../support/web.ts'

const sizeOf = async (web: Web, url: string) => {
  const answer = await web.fetch(new URL(url).pathname)
  expect(answer.status).toBe(200)
  const bytes = Buffer.from(await answer.arrayBuffer())
  return { answer, bytes, facts: await sharp(bytes).metadata() }
}

/** A white one of one bit a pixel, whole: 50 MB that are 50 kB. */
function aPng(width: number, height: number): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))), { level: 1 })
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...[chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))],
  ])
}

test('a photograph is kept in three sizes, upright and without the place it was taken at; again, it is the same', async () => {
  const web = await aWeb()
  const working = await startWorking(web.context)
  onTestFinished(() => working.drain())
  const send = await anUpload(web)
  const photograph = await aPicture(1_000, 2_000)
    .jpeg()
    .withExif({ IFD0: { Make: 'Camera' }, IFD3: { GPSLatitude: '36/1 45/1 0/1', GPSLatitudeRef: 'N' } })
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const answer = await send(new Uint8Array(photograph))
  expect(answer.status).toBe(201)
  const kept = (await answer.json()) as Uploaded
  // Orientation 6: its top is to the right.
  expect(kept).toMatchObject({ width: 2_000, height: 1_000, type: 'image/jpeg' })
  expect(kept.urls.map((url) => url.replace(/.*-/, ''))).toEqual([
    '480.webp',
    '480.jpg',
    '960.webp',
    '960.jpg',
    '1600.webp',
    '1600.jpg',
  ])
  expect(kept.url).toBe(`${web.origin}/media/${kept.sha256}-1600.jpg`)
  const { answer: served, bytes, facts } = await sizeOf(web, kept.url)
  expect(facts).toMatchObject({ width: 1_600, height: 800, format: 'jpeg' })
  expect(facts.exif ?? facts.icc ?? facts.xmp).toBeUndefined()
  expect(bytes.includes('Camera')).toBe(false)
  const [red = 0, green = 0, blue = 0] = await sharp(bytes)
    .extract({ left: 1_500, top: 400, width: 1, height: 1 })
    .raw()
    .toBuffer()
  expect([red > 200, green < 60, blue < 60]).toEqual([true, true, true])
  expect(Object.fromEntries(served.headers)).toMatchObject({
    'content-type': 'image/jpeg',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  })
  const etag = served.headers.get('etag') ?? ''
  const again = await web.fetch(new URL(kept.url).pathname, {
    headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' },
  })
  expect(again.status).toBe(304)

  const form = new FormData()
  form.set('file', new Blob([new Uint8Array(photograph)]), 'photo.svg')
  const second = await send(form)
  expect([second.status, ((await second.json()) as Uploaded).sha256]).toEqual([200, kept.sha256])
  expect(await rowsOf(web, `select state, original is null as "isGone" from media`)).toEqual([
    { state: 'made', isGone: true },
  ])
  expect(await rowsOf(web, `select action from audit where action = 'media.added'`)).toHaveLength(1)
})

test('every kind comes out clean: animations still, CMYK in colours of screens, small ones as small as they are', async () => {
  const web = await aWebWithPictures()
  const frames = Buffer.concat([Buffer.alloc(300 * 200 * 3, 10), Buffer.alloc(300 * 200 * 3, 200)])
  const kinds = {
    gif: await sharp(frames, { raw: { width: 300, height: 400, channels: 3, pageHeight: 200 } })
      .gif({ delay: [100, 100] })
      .toBuffer(),
    cmyk: await aPicture(700, 300).toColourspace('cmyk').jpeg().toBuffer(),
    avif: await aPicture(500, 300).avif({ effort: 0 }).toBuffer(),
    webp: await aPicture(500, 300).webp().toBuffer(),
    png: await sharp({
      create: { width: 500, height: 300, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } },
    })
      .png()
      .toBuffer(),
  }
  const kept = Object.fromEntries(
    await Promise.all(
      Object.entries(kinds).map(async ([kind, bytes]) => [kind, await upload(web, bytes)] as const),
    ),
  ) as Record<keyof typeof kinds, Uploaded>
  expect((await sharp(kinds.gif).metadata()).pages).toBe(2)
  const gif = await sizeOf(web, kept.gif.url)
  expect([gif.facts.format, gif.facts.pages, gif.facts.width, gif.facts.height]).toEqual([
    'jpeg',
    undefined,
    300,
    200,
  ])
  // There is no other size, and each address leads to the one there is.
  expect(kept.gif.urls).toHaveLength(2)
  expect((await sizeOf(web, kept.gif.url.replace('-480.', '-1600.'))).bytes.equals(gif.bytes)).toBe(true)
  expect((await sizeOf(web, kept.cmyk.url)).facts).toMatchObject({ space: 'srgb', width: 700 })
  expect(kept.avif.type).toBe('image/avif')
  expect((await sizeOf(web, kept.png.url)).facts).toMatchObject({ format: 'png', hasAlpha: true })
  for (const path of ['-480.gif', '-481.jpg', '-480.png', '-480.jpg/x', '']) {
    expect((await web.fetch(`/media/${kept.gif.sha256}${path}`)).status, path).toBe(404)
  }
})

test('what is no picture, broken or too large is refused in a sentence with a code, and leaves nothing that is served', async () => {
  const web = await aWebWithPictures()
  const send = await anUpload(web)
  const jpeg = await aPicture(900, 600).jpeg().toBuffer()
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  const bomb = aPng(20_000, 20_000)
  const cases: [name: string, bytes: Buffer, status: number, code: string][] = [
    ['an SVG, whatever it is called', Buffer.from(svg), 422, 'media_type'],
    [
      'a PNG by its first bytes alone',
      Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from(svg)]),
      422,
      'media_unreadable',
    ],
    ['a GIF that is HTML', Buffer.from('GIF89a/*<script>alert(1)</script>*/'), 422, 'media_unreadable'],
    ['400 megapixels', bomb, 422, 'media_pixels'],
    ['half a JPEG', jpeg.subarray(0, jpeg.length / 2), 422, 'media_unreadable'],
    ['a HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0'), 422, 'media_type'],
    ['nothing', Buffer.alloc(0), 422, 'media_type'],
    ['16 MB', Buffer.concat([jpeg, Buffer.alloc(16 * 1024 * 1024)]), 413, 'too_large'],
  ]
  for (const [name, bytes, status, code] of cases) {
    const answer = await send(new Uint8Array(bytes), { 'content-type': 'image/png' })
    const problem = (await answer.json()) as { code: string; detail: string }
    expect([answer.status, problem.code], name).toEqual([status, code])
    expect(problem.detail, name).toMatch(/^[A-Z].*\.$/)
  }
  expect(await rowsOf(web, 'select from media_files')).toEqual([])
  expect(await rowsOf(web, 'select from media where original is not null')).toEqual([])
  // HTML behind a picture does not come out again.
  const behind = await upload(web, Buffer.concat([jpeg, Buffer.from(svg)]))
  expect((await sizeOf(web, behind.url)).bytes.includes('script')).toBe(false)
})

test('without a worker the picture waits, and the sender is told to come again', async () => {
  const web = await aWeb()
  const answer = await (await anUpload(web))(new Uint8Array(await aPicture(40, 30).jpeg().toBuffer()))
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60'])
  expect(await answer.json()).toMatchObject({ code: 'media_waiting' })
  expect(await rowsOf(web, 'select state from media')).toEqual([{ state: 'waiting' }])
})
