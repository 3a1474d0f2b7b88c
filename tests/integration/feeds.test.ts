import { createHash } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { feedPath } from '../../src/domain/feeds/feed.ts'
import { importWordpress } from '../../src/import/wordpress/import-wordpress.ts'
import { cloneDatabase } from '../support/database.ts'
import { aNewsroom, type Newsroom } from '../support/feeds.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { poll, type Polled } from '../support/poll.ts'
import { rowsOf } from '../support/query.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { runSql } from '../support/sql.ts'
import { recordStatements } from '../support/statements.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const titlesOf = ({ text }: Polled): string[] =>
  [...text.matchAll(/<item>\s*<title>([^<]*)<\/title>/g)].map(([, title = '']) => title)
const guidsOf = ({ text }: Polled): string[] =>
  [...text.matchAll(/<guid[^>]*>([^<]*)<\/guid>/g)].map(([, guid = '']) => guid)
const modifiedAt = ({ headers }: Polled): number => Date.parse(headers['last-modified'] ?? '')
const validatorsOf = ({ headers }: Polled) => [headers.etag, headers['last-modified']]

/** Polls until the feed is another one than `before`: its process has heard of the change. */
const changed = (url: string, before: Polled): Promise<Polled> =>
  until(`${url} changes`, async () => {
    const now = await poll(url)
    return now.headers.etag !== before.headers.etag && now
  })

describe('H11 every change moves Last-Modified forward, never into the future', () => {
  const mainFeed = async (newsroom: Newsroom) => {
    await newsroom.put('old', { publishedAt: '2026-01-05T08:00:00Z' })
    await newsroom.put('new')
    await newsroom.render()
    const url = `${newsroom.origin}/rss.xml`
    return { url, first: await poll(url) }
  }
  const expectForward = (before: Polled, after: Polled) => {
    expect(modifiedAt(after)).toBeGreaterThan(modifiedAt(before))
    expect(modifiedAt(after)).toBeLessThanOrEqual(Date.now())
  }

  test('two edits in one second: the second waits', async () => {
    const newsroom = await aNewsroom()
    const { url, first } = await mainFeed(newsroom)
    await newsroom.put('new', { title: 'Première version' })
    await newsroom.render()
    const second = await changed(url, first)
    await newsroom.put('new', { title: 'Seconde version' })
    const isWaiting = await newsroom.context.services.feeds.renderChanged()
    await newsroom.render()
    const third = await changed(url, second)
    expectForward(first, second)
    expectForward(second, third)
    expect(titlesOf(third)[0]).toBe('Seconde version')
    // Within the same second it was held back; where the clock had moved on it need not be.
    if (isWaiting) expect(modifiedAt(third)).toBeGreaterThan(modifiedAt(second))
  })

  test('I5 a scheduled article with old dates is absent before its time; the newest story withdrawn', async () => {
    const newsroom = await aNewsroom()
    const { url, first } = await mainFeed(newsroom)
    await newsroom.put('later', { state: 'scheduled', publishedAt: new Date(Date.now() + 500).toISOString() })
    await newsroom.render()
    expect(validatorsOf(await poll(url))).toEqual(validatorsOf(first))
    await until('it is published', async () => (await newsroom.context.services.articles.publishDue()) > 0)
    await newsroom.render()
    const second = await changed(url, first)
    expect(titlesOf(second)).toContain('Le phare later')
    await newsroom.withdraw('later')
    await newsroom.render()
    const third = await changed(url, second)
    expectForward(first, second)
    expectForward(second, third)
  })
})

describe('H12 what does not change the bytes changes neither validator', () => {
  test('an unrelated write, everything rendered again, and a second process', async () => {
    const databaseUrl = await cloneDatabase()
    const first = await aNewsroom({ databaseUrl, env: { PUBLIC_URL: 'https://rivage.example' } })
    await first.put('a1')
    await first.render()
    const path = '/sections/a-la-une/rss.xml'
    const before = await poll(first.origin + path)

    await first.put('b1', { sections: ['culture'] })
    await first.render()
    await first.context.database.stores.feedDocuments.markDirty([{ subject: '*' }])
    await first.render()
    expect(validatorsOf(await poll(first.origin + path))).toEqual(validatorsOf(before))

    const second = await aNewsroom({ databaseUrl, env: { PUBLIC_URL: 'https://rivage.example' } })
    const other = await poll(second.origin + path)
    expect(validatorsOf(other)).toEqual(validatorsOf(before))
    expect(other.body.equals(before.body)).toBe(true)
  })

  test('a change is visible in every process that holds the feed', async () => {
    const databaseUrl = await cloneDatabase()
    const env = { PUBLIC_URL: 'https://rivage.example' }
    const [first, second] = [await aNewsroom({ databaseUrl, env }), await aNewsroom({ databaseUrl, env })]
    await first.put('a1')
    await first.render()
    const before = await poll(`${second.origin}/rss.xml`)
    await first.put('a1', { title: 'Corrigé' })
    await first.render()
    expect(titlesOf(await changed(`${second.origin}/rss.xml`, before))).toEqual(['Corrigé'])
    expect(validatorsOf(await changed(`${first.origin}/rss.xml`, before))).toEqual(
      validatorsOf(await poll(`${second.origin}/rss.xml`)),
    )
  })
})

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

test('H13 with the database away a held feed is served, 200 and 304; others are 503; then it catches up', async () => {
  const databaseUrl = await cloneDatabase()
  const env = { PUBLIC_URL: 'https://rivage.example' }
  const desk = await aNewsroom({ databaseUrl, env })
  await desk.put('a1', { tags: ['mer'] })
  await desk.render()
  const proxy = await startTcpProxy(Number(new URL(databaseUrl).port))
  onTestFinished(() => proxy.close())
  const proxied = new URL(databaseUrl)
  proxied.port = String(proxy.port)
  const newsroom = await aNewsroom({ databaseUrl: proxied.href, env })
  const url = `${newsroom.origin}/rss.xml`
  const held = await poll(url)

  proxy.setMode('refusing')
  expect((await poll(url)).body.equals(held.body)).toBe(true)
  expect((await poll(url, { headers: { 'if-none-match': held.headers.etag ?? '' } })).status).toBe(304)
  const unheld = await poll(`${newsroom.origin}/tags/mer/rss.xml`)
  expect([unheld.status, unheld.headers['retry-after']]).toEqual([503, '30'])

  await desk.put('a1', { title: 'Changé entre-temps', tags: ['mer'] })
  await desk.render()
  proxy.setMode('open')
  expect(titlesOf(await changed(url, held))).toEqual(['Changé entre-temps'])
  expect((await poll(`${newsroom.origin}/tags/mer/rss.xml`)).status).toBe(200)
})

test('I1 slug, re-import and address change: the same guids', async () => {
  const databaseUrl = await cloneDatabase()
  const before = await aNewsroom({ databaseUrl, env: { PUBLIC_URL: 'https://old.example' } })
  await before.put('a1', { guid: 'https://old.example/?p=1' })
  await before.put('a2')
  await before.render()
  const guids = guidsOf(await poll(`${before.origin}/rss.xml`))
  const first = await poll(`${before.origin}/rss.xml`)
  await before.put('a1', { title: 'Un tout autre titre' })
  await before.render()
  expect(guidsOf(await changed(`${before.origin}/rss.xml`, first))).toEqual(guids)

  const after = await aNewsroom({ databaseUrl, env: { PUBLIC_URL: 'https://new.example' } })
  await after.context.services.feeds.renewAll()
  await after.render()
  const moved = await until('the new address is in the feed', async () => {
    const now = await poll(`${after.origin}/rss.xml`)
    return now.text.includes('https://new.example/articles/') && now
  })
  expect(guidsOf(moved)).toEqual(guids)
})

test('I1 a WordPress export imported again leaves every feed as it is, byte for byte, with its validators', async () => {
  const databaseUrl = await cloneDatabase()
  const newsroom = await aNewsroom({ databaseUrl })
  const { services, database } = newsroom.context
  const importExport = () =>
    importWordpress(services, {
      files: [new URL('../fixtures/import/rivage.wxr.xml', import.meta.url).pathname],
      actor: { kind: 'cli', role: 'admin' },
      language: undefined,
      languages: ['fr', 'ar'],
      zone: 'Europe/Paris',
      onProgress: () => undefined,
    })
  const listDocuments = () =>
    query<{ path: string }>(
      databaseUrl,
      'select path, etag, last_modified, body, gzip, br from feed_documents where body is not null order by path',
    )
  await importExport()
  await newsroom.render()
  for (const path of ['sections/faits-divers/rss.xml', 'authors/lina-marsa/atom.xml', 'responses/rss.xml']) {
    expect((await poll(`${newsroom.origin}/${path}`)).status, path).toBe(200)
  }
  const before = await listDocuments()
  expect(before.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['/rss.xml', '/sections/faits-divers/rss.xml', '/responses/rss.xml']),
  )
  expect(await importExport()).toMatchObject({ created: 0, updated: 0, unchanged: 14 })
  // Also where every feed is rendered anew from what the second import has left.
  await database.transaction((stores) => stores.feedDocuments.markDirty([{ subject: '*' }]))
  await newsroom.render()
  expect(await listDocuments()).toEqual(before)
})

test('I2 an edit keeps guid and pubDate and replaces the text', async () => {
  const newsroom = await aNewsroom()
  await newsroom.put('a1')
  await newsroom.render()
  const url = `${newsroom.origin}/rss.xml`
  const before = await poll(url)
  await newsroom.put('a1', { html: '<p>Le texte corrigé.</p>' })
  await newsroom.render()
  const after = await changed(url, before)
  expect(guidsOf(after)).toEqual(guidsOf(before))
  const pubDate = /<pubDate>.*<\/pubDate>/
  expect(pubDate.exec(after.text)?.[0]).toBe(pubDate.exec(before.text)?.[0])
  expect(after.text).toContain('Le texte corrigé.')
})

test('I3 a withdrawn article is its notice under the same guid for seven days, then nothing, and nothing returns', async () => {
  let now = new Date()
  const newsroom = await aNewsroom({ now: () => now })
  for (let i = 1; i <= 51; i++) {
    await newsroom.put(`a${i}`, { publishedAt: new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString() })
  }
  // All older than the 48 hours in which every article is shown.
  await runSql(newsroom.context.config.databaseUrl, `update articles set first_public_at = published_at`)
  await newsroom.render()
  const url = `${newsroom.origin}/rss.xml`
  const before = await poll(url)
  expect(titlesOf(before)).toHaveLength(50)
  await newsroom.withdraw('a51', 'Les faits étaient faux.')
  await newsroom.render()
  const notice = await changed(url, before)
  expect(titlesOf(notice)[0]).toBe('Article retiré')
  expect(guidsOf(notice)).toEqual(guidsOf(before))
  expect(notice.text).toContain('Les faits étaient faux.')
  expect(notice.text).not.toContain('Le phare a51')

  now = new Date(now.getTime() + 7 * 24 * 3600_000 + 60_000)
  await newsroom.context.database.stores.feedDocuments.markDirty([{ subject: 'all' }])
  await newsroom.render()
  const after = await changed(url, notice)
  expect(guidsOf(after)).toEqual(guidsOf(before).slice(1))
  expect(titlesOf(after)).not.toContain('Le phare a1')
})

test('I8 a hundred articles between two polls are all visible', async () => {
  const newsroom = await aNewsroom()
  for (let i = 1; i <= 100; i++) await newsroom.put(`a${i}`)
  await newsroom.render()
  expect(titlesOf(await poll(`${newsroom.origin}/rss.xml`))).toHaveLength(100)
})

test('the archive of a newsletter is a feed of what its readers got, under guids of its own', async () => {
  const newsroom = await aNewsroom()
  const databaseUrl = newsroom.context.config.databaseUrl
  const { digestId } = await aSendingDigest(databaseUrl, { readers: 1 })
  const content = JSON.stringify(aFrozenDigest({ digestId, subject: 'Le matin du 14 mars' }))
  const hash = createHash('sha256').update(content).digest('hex')
  await query(
    databaseUrl,
    `update digests set frozen = $1, content_sha256 = decode($2, 'hex') where id = $3`,
    [content, hash, digestId],
  )
  await query(databaseUrl, `update deliveries set state = 'accepted'`)
  const archive = await poll(`${newsroom.origin}/newsletters/le-matin/rss.xml`)
  expect(titlesOf(archive)).toEqual(['Le matin du 14 mars'])
  expect(archive.text).toContain(`/digests/${digestId}</link>`)
  expect(guidsOf(archive)[0]).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  expect((await poll(`${newsroom.origin}/newsletters/none/rss.xml`)).status).toBe(404)
})

test('a digest is public from its first mail on: its web version before the answer, its archive soon after', async () => {
  const newsroom = await aNewsroom()
  const databaseUrl = newsroom.context.config.databaseUrl
  const { digestId } = await aSendingDigest(databaseUrl, { readers: 2 })
  const content = JSON.stringify(aFrozenDigest({ digestId, subject: 'Le matin du 14 mars' }))
  await query(databaseUrl, `update digests set frozen = $1, content_sha256 = sha256('x') where id = $2`, [
    content,
    digestId,
  ])
  const url = `${newsroom.origin}/newsletters/le-matin/rss.xml`
  const page = () => newsroom.fetch(`/digests/${digestId}`)
  const webVersion = async () => (await page()).status
  const isListed = async () =>
    (await (await newsroom.fetch('/newsletters/le-matin')).text()).includes('Le matin du 14 mars')
  const stop = (state: string) =>
    query(databaseUrl, `update digests set state = $1, resume_state = 'sending' where id = $2`, [
      state,
      digestId,
    ])
  expect([titlesOf(await poll(url)), await webVersion(), await isListed()]).toEqual([[], 404, false])
  await stop('cancelled')
  expect(await webVersion()).toBe(404)
  await stop('sending')

  await query(
    databaseUrl,
    `update deliveries set state = 'committing' where subscriber_id =
    (select min(subscriber_id) from deliveries)`,
  )
  expect([await webVersion(), await isListed()]).toEqual([200, true])
  const html = await (await page()).text()
  for (const once of ['<header class="masthead">', '<main', '</html>', 'lang="ar" hreflang="ar"'])
    expect([once, html.split(once).length]).toEqual([once, 2])
  expect(html).toContain('href="/newsletters/le-matin"')
  await until('the archive shows it without a further note', async () => {
    await newsroom.render()
    return titlesOf(await poll(url)).length === 1
  })
  await stop('paused')
  expect([await webVersion(), await isListed()]).toEqual([200, true])
  // What the desk has called back is not shown to anybody else, but whoever got it can read it.
  await stop('cancelled')
  expect([await webVersion(), await isListed()]).toEqual([200, false])
})

test('a new response renders the feeds of responses alone', async () => {
  const newsroom = await aNewsroom()
  const { services, database } = newsroom.context
  await newsroom.put('a1', { responses: 'open' })
  await newsroom.render()
  const paths = ['/rss.xml', '/responses/rss.xml', '/articles/le-phare-a1/responses/rss.xml']
  const before = await Promise.all(paths.map((path) => poll(newsroom.origin + path)))
  await services.responses.put('a1', 'r1', {
    author: 'Nour',
    html: '<p>Enfin !</p>',
    publishedAt: new Date().toISOString(),
  })
  await newsroom.render()
  const [main, ...ofResponses] = before
  for (const [i, one] of ofResponses.entries()) {
    expect((await changed(newsroom.origin + (paths[i + 1] ?? ''), one)).text).toContain('Enfin !')
  }
  expect(validatorsOf(await poll(`${newsroom.origin}/rss.xml`))).toEqual(main && validatorsOf(main))
  expect(await database.stores.feedDocuments.hasDirty()).toBe(false)
})

test('a ranking of the most read is rendered again when a quarter of an hour has gone by, and not before', async () => {
  const newsroom = await aNewsroom()
  const { views } = newsroom.context.services
  const databaseUrl = newsroom.context.config.databaseUrl
  await newsroom.put('a1')
  await newsroom.put('a2')
  await newsroom.render()
  const view = (slug: string) =>
    views.count(slug, { address: '', userAgent: browser }, () => Promise.resolve(true))
  await view('le-phare-a1')
  const urls = ['/most-read', '/most-read/today'].map((path) => `${newsroom.origin}${path}/rss.xml`)
  const before = await Promise.all(urls.map(async (url) => ({ url, held: await poll(url) })))
  for (const { held } of before) expect(titlesOf(held)).toEqual(['Le phare a1'])
  for (let i = 0; i < 2; i++) await view('le-phare-a2')
  const pass = async (minutes: number) => {
    await query(databaseUrl, `update feed_documents set due_at = due_at - $1 * interval '1 minute'`, [
      minutes,
    ])
    await newsroom.render()
  }
  await pass(14)
  for (const { url, held } of before) expect((await poll(url)).text).toBe(held.text)
  expect(await query(databaseUrl, 'select from feed_documents where due_at > now()')).toHaveLength(2)

  await until('what is due is rendered, in the next second where it was rendered in this one', async () => {
    await pass(1)
    return (await query(databaseUrl, 'select from feed_documents where due_at <= now()')).length === 0
  })
  for (const { url, held } of before) {
    expect(titlesOf(await changed(url, held))).toEqual(['Le phare a2', 'Le phare a1'])
  }
})

test('a feed that is due and cannot be rendered keeps its last copy, waits for its next try and holds up no other', async () => {
  const newsroom = await aNewsroom()
  const databaseUrl = newsroom.context.config.databaseUrl
  await newsroom.put('a1')
  await newsroom.render()
  const url = `${newsroom.origin}/most-read/today/rss.xml`
  const held = await poll(url)
  await query(databaseUrl, `update publication set zone = 'Nowhere/None'`)
  await query(
    databaseUrl,
    `update feed_documents set due_at = now() - interval '1 hour', last_modified = last_modified - interval '1 hour'`,
  )
  await newsroom.put('a2')
  await newsroom.render()
  await until('the other feed is rendered', async () =>
    titlesOf(await poll(`${newsroom.origin}/rss.xml`)).includes('Le phare a2'),
  )
  expect((await poll(url)).text).toBe(held.text)
})

test('a thousand readers of a feed that nobody has asked for yet cost one render', async () => {
  const newsroom = await aNewsroom()
  await newsroom.put('a1', { tags: ['mer'] })
  await newsroom.render()
  const read = vi.spyOn(newsroom.context.services.feeds, 'read')
  const { feedMemory } = newsroom.context.services
  const found = await Promise.all(Array.from({ length: 1_000 }, () => feedMemory.read('/tags/mer/rss.xml')))
  expect(read).toHaveBeenCalledTimes(1)
  expect(new Set(found).size).toBe(1)
})

/** How often one of the statements read what articles say. */
const readingsOf = (statements: string[]) =>
  statements.filter((text) => text.startsWith('select "articles"."id"')).length

test.each([
  ['/tags/mer/rss.xml', 13],
  ['/fr/authors/nadia/atom.xml', 14],
  ['/most-read/feed.json', 11],
])('the first reader of %s costs one reading of its articles, and %i statements', async (path, count) => {
  const newsroom = await aNewsroom()
  await newsroom.put('a1', { tags: ['mer'], authors: ['Nadia'] })
  const statements = recordStatements()
  await newsroom.context.services.feeds.read(path)
  expect(readingsOf(statements)).toBe(1)
  expect(statements).toHaveLength(count)
})

test('a feed of what is not there, or not public, is noted nowhere', async () => {
  const newsroom = await aNewsroom()
  await newsroom.put('a1', { state: 'draft' })
  await newsroom.put('a2')
  const statements = recordStatements()
  const unknown = ['tags/a', 'de', 'de/tags/a', 'picks/a', 'newsletters/a', 'articles/a/responses']
  for (const folder of [...unknown, 'articles/le-phare-a1/responses'])
    await expect(newsroom.context.services.feeds.read(`/${folder}/rss.xml`)).rejects.toThrow('no feed')
  expect(statements.filter((text) => text.startsWith('insert'))).toEqual([])
})

test('fifty readers of three formats, in two processes: while the first is waited for, one gathering serves all', async () => {
  const databaseUrl = await cloneDatabase()
  const env = { PUBLIC_URL: 'https://rivage.example' }
  const [one, other] = [await aNewsroom({ databaseUrl, env }), await aNewsroom({ databaseUrl, env })]
  await one.put('a1', { tags: ['mer'] })
  const statements = recordStatements()
  const formats = ['rss.xml', 'atom.xml', 'feed.json']
  const reading = await one.context.database.transaction(async (stores) => {
    await stores.feedDocuments.claim({ subject: 'tag:mer', language: undefined })
    const readers = Array.from({ length: 50 }, (_, n) =>
      (n % 2 ? one : other).context.services.feedMemory.read(`/tags/mer/${formats[n % 3] ?? ''}`),
    )
    await until('each waits for its turn', async () => {
      const waiting = await rowsOf(one, `select from pg_locks where locktype = 'advisory' and not granted`)
      return waiting.length === 6
    })
    return readers
  })
  const found = await Promise.all(reading)
  expect(readingsOf(statements)).toBe(1)
  expect(new Set(found.map((feed) => feed.kind === 'feed' && feed.feed.etag)).size).toBe(3)
})

test('processes that render at once render each change once', async () => {
  const databaseUrl = await cloneDatabase()
  const env = { PUBLIC_URL: 'https://rivage.example' }
  const [first, second] = [await aNewsroom({ databaseUrl, env }), await aNewsroom({ databaseUrl, env })]
  const heard: string[] = []
  const { database } = first.context
  const stop = await database.listenForFeeds({ onMessage: (path) => heard.push(path) })
  onTestFinished(stop)
  await first.put('a1')
  await Promise.all([first.render(), second.render()])
  const documents = await database.stores.feedDocuments.list()
  expect(documents.every(({ lastModified, dirtyAt }) => lastModified && !dirtyAt)).toBe(true)
  await until('every change was heard of', () => Promise.resolve(heard.length >= documents.length))
  expect(heard.sort()).toEqual(documents.map(({ path }) => path).sort())
})

test('the memory of a process is bounded: what was polled least goes first', async () => {
  const { createFeedMemory } = await import('../../src/services/feeds/memory.ts')
  const newsroom = await aNewsroom()
  await newsroom.put('a1', { tags: ['a', 'b', 'c'] })
  await newsroom.render()
  const paths = ['a', 'b', 'c'].map((slug) =>
    feedPath({ subject: `tag:${slug}`, language: undefined, format: 'rss.xml' }),
  )
  const { database, log, services } = newsroom.context
  const one = await services.feeds.read(paths[0] ?? '')
  const size = one.kind === 'feed' ? one.feed.body.length + one.feed.gzip.length + one.feed.br.length : 0
  const memory = createFeedMemory({ database, log }, services.feeds, { maxBytes: Math.floor(size * 2.5) })
  for (const path of paths.slice(0, 2)) await memory.read(path)
  memory.peek(paths[0] ?? '')
  await memory.read(paths[2] ?? '')
  expect(paths.map((path) => memory.peek(path) !== undefined)).toEqual([true, false, true])
  await memory.close()
})
