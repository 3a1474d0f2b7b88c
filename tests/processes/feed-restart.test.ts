import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { feedFormats } from '../../src/domain/feeds/feed.ts'
import { findFreePort } from '../../src/embedded/ports.ts'
import { cloneDatabase } from '../support/database.ts'
import { aNewsroom } from '../support/feeds.ts'
import { poll } from '../support/poll.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { spawnWeb } from '../support/web-process.ts'

const paths = ['', '/fr', '/ar', '/sections/a-la-une', '/fr/sections/a-la-une'].flatMap((folder) =>
  feedFormats.map((format) => `${folder}/${format}`),
)
const encodings = ['identity', 'gzip', 'br'] as const
const decode = { identity: (body: Buffer) => body, gzip: gunzipSync, br: brotliDecompressSync }

/** Everything that a reader keeps or compares, in each encoding. */
async function readAll(origin: string) {
  const answers = new Map<string, object>()
  for (const path of paths) {
    for (const encoding of encodings) {
      const { status, headers, body } = await poll(origin + path, {
        headers: { 'accept-encoding': encoding },
      })
      expect([status, headers['content-encoding'] ?? 'identity'], path).toEqual([200, encoding])
      answers.set(`${path} ${encoding}`, {
        etag: headers.etag,
        lastModified: headers['last-modified'],
        bytes: body.toString('base64'),
        text: decode[encoding](body).toString(),
      })
    }
  }
  return answers
}

/** A node of the newsroom: wherever it listens, its links carry the one public address. */
async function aNode({ port, databaseUrl, origin }: { port: number; databaseUrl: string; origin: string }) {
  const child = await spawnWeb({ databaseUrl, port, env: { PUBLIC_URL: origin } })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL') {
  const exited = once(child, 'exit')
  child.kill(signal)
  return exited
}

test('H12 unrelated writes, a restart, a kill and a second node leave validators and bytes of every feed as they are', async () => {
  const databaseUrl = await cloneDatabase()
  const port = await findFreePort()
  const origin = `http://localhost:${port}`
  const newsroom = await aNewsroom({ databaseUrl, env: { PUBLIC_URL: origin } })
  const { services, database } = newsroom.context
  await newsroom.put('a1', { responses: 'open' })
  await newsroom.put('a2', { language: 'ar', title: 'المنارة تضيء من جديد' })
  await newsroom.render()
  let web = await aNode({ port, databaseUrl, origin })
  const before = await readAll(origin)

  await aSubscriber(database)
  await fetch(`${origin}/articles/le-phare-a1/views`, {
    method: 'POST',
    headers: { 'user-agent': 'Firefox' },
  })
  await database.stores.feedDocuments.markDirty([{ subject: '*' }])
  await newsroom.render()
  await services.responses.put('a1', 'r1', {
    author: 'Nour',
    html: '<p>Enfin !</p>',
    publishedAt: new Date().toISOString(),
  })
  await newsroom.put('b1', { sections: ['culture'], state: 'draft' })
  await newsroom.render()
  expect(await readAll(origin)).toEqual(before)

  expect(await end(web, 'SIGTERM')).toEqual([0, null])
  web = await aNode({ port, databaseUrl, origin })
  expect(await readAll(origin)).toEqual(before)

  expect(await end(web, 'SIGKILL')).toEqual([null, 'SIGKILL'])
  await aNode({ port, databaseUrl, origin })
  // As a worker does when it starts.
  await services.feeds.renewAll()
  await newsroom.render()
  expect(await readAll(origin)).toEqual(before)

  const second = await findFreePort()
  await aNode({ port: second, databaseUrl, origin })
  expect(await readAll(`http://localhost:${second}`)).toEqual(before)
})
