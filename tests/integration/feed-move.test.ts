import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { importWordpress } from '../../src/import/wordpress/import-wordpress.ts'
import { aNewsboat, anRss2email } from '../support/feed-readers.ts'
import { aNewsroom } from '../support/feeds.ts'
import { poll } from '../support/poll.ts'
import { until } from '../support/until.ts'
import { writeWxr } from '../support/wxr.ts'

/** One address that readers know, whoever answers there. */
async function aSite() {
  let listener: RequestListener = (_request, response) => response.writeHead(404).end()
  const server = createServer((incoming, response) => {
    listener(incoming, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    /** The site's old software: one feed. */
    serveFeed(path: string, body: string) {
      listener = (incoming, response) => {
        if (incoming.url !== path) response.writeHead(404).end()
        else response.writeHead(200, { 'Content-Type': 'application/rss+xml; charset=UTF-8' }).end(body)
      }
    },
    /** As a proxy before the web process. */
    forwardTo(target: string) {
      listener = ({ url = '/', method, headers }, response) => {
        request(target + url, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        }).end()
      }
    },
  }
}

/** The feed of WordPress that shows what its export holds. */
const feedOf = (wxr: string): string =>
  wxr
    .replaceAll(/<wp:post_date_gmt>([^<]*)<\/wp:post_date_gmt>/g, (_all, date: string) => {
      return `<pubDate>${new Date(`${date.replace(' ', 'T')}Z`).toUTCString()}</pubDate>`
    })
    .replaceAll(/<(wp|excerpt):(\w+)>.*?<\/\1:\2>/gs, '')

test('I1 a site moves from WordPress: newsboat and rss2email, who poll /feed/ as before, are shown no old story as new', async () => {
  const site = await aSite()
  const folder = mkdtempSync(join(tmpdir(), 'depeche-move-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'export.xml')
  await writeWxr(file, 4, site.origin)
  site.serveFeed('/feed/', feedOf(readFileSync(file, 'utf8')))
  const newsboat = aNewsboat([`${site.origin}/feed/`])
  const rss2email = await anRss2email(`${site.origin}/feed/`)
  const stories = [1, 2, 3, 4].map((n) => `Le phare, jour ${n}`)
  expect((await newsboat.reload()).map(({ title }) => title).sort()).toEqual(stories)
  expect((await rss2email.run()).sort()).toEqual(stories)
  newsboat.markRead()

  const newsroom = await aNewsroom({ env: { PUBLIC_URL: site.origin } })
  const report = await importWordpress(newsroom.context.services, {
    files: [file],
    actor: { kind: 'cli', role: 'admin' },
    language: 'fr',
    languages: ['fr', 'ar'],
    zone: 'Europe/Paris',
    onProgress: () => undefined,
  })
  expect(report.created).toBe(4)
  await newsroom.render()
  site.forwardTo(newsroom.origin)
  expect((await poll(`${site.origin}/feed/`)).headers.location).toBe('/rss.xml')
  expect((await poll(`${site.origin}/2020/01/phare-1/`)).status).toBe(301)

  expect(await rss2email.run()).toEqual([])
  const held = await newsboat.reload()
  expect(held.map(({ title }) => title).sort()).toEqual(stories)
  expect(held.filter(({ unread }) => unread !== 0)).toEqual([])

  await newsroom.put('new', { title: 'Un jour de plus' })
  await newsroom.render()
  await until('the new story is served', async () =>
    (await poll(`${site.origin}/rss.xml`)).text.includes('Un jour de plus'),
  )
  expect(await rss2email.run()).toEqual(['Un jour de plus'])
  expect((await newsboat.reload()).filter(({ unread }) => unread !== 0)).toHaveLength(1)
})
