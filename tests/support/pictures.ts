import { onTestFinished } from 'vitest'
import sharp, { type Sharp } from 'sharp'
import { every } from '../../workers/every.ts'
import { aWeb, type Web } from './web.ts'

/** A web process, and what a worker does for its pictures, without its rings. */
export async function aWebWithPictures(options: Parameters<typeof aWeb>[0] = {}): Promise<Web> {
  const web = await aWeb(options)
  await makePictures(web)
  return web
}

export async function makePictures({ context: { services, log } }: Web): Promise<void> {
  await services.presence.beat()
  const rounds = every(20, () => services.media.makeWaiting(), log)
  onTestFinished(() => rounds.stop())
}

/** Of one colour: red above, blue below, so that it can be told which way up it is. */
export const aPicture = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: 'blue' } }).composite([
    {
      input: { create: { width, height: Math.ceil(height / 2), channels: 3, background: 'red' } },
      gravity: 'north',
    },
  ])

/** Posts bytes as a program would. */
export async function anUpload(web: Web) {
  const { key } = await web.context.services.keys.create(
    { name: 'CMS', role: 'editor' },
    { kind: 'cli', role: 'admin' },
  )
  return (
    bytes: Uint8Array<ArrayBuffer> | FormData,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    web.fetch('/api/v1/media', {
      method: 'POST',
      body: bytes,
      headers: { authorization: `Bearer ${key}`, ...headers },
    })
}

export interface Uploaded {
  sha256: string
  width: number
  height: number
  type: string
  url: string
  textUrl: string
  urls: string[]
}

/** Uploads, and fails where it is refused. */
export async function upload(web: Web, picture: Sharp | Buffer): Promise<Uploaded> {
  const bytes = Buffer.isBuffer(picture) ? picture : await picture.jpeg().toBuffer()
  const answer = await (await anUpload(web))(new Uint8Array(bytes))
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as Uploaded
}
