import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { aFrontOf, type FrontOptions } from '../support/feed-front.ts'
import { poll } from '../support/poll.ts'

const formats = [
  ['rss.xml', 'application/rss+xml; charset=utf-8'],
  ['atom.xml', 'application/atom+xml; charset=utf-8'],
  ['feed.json', 'application/feed+json'],
] as const

describe.each([
  ['before Express', true],
  ['inside Express', false],
])('the front %s', (_where, isFrontFirst) => {
  const aPublishedFeed = async (path = '/rss.xml', options: FrontOptions = {}) => {
    const front = await aFrontOf({ ...options, isFrontFirst })
    const url = front.origin + path
    const first = await poll(url)
    const etag = first.headers.etag ?? ''
    const lastModified = first.headers['last-modified'] ?? ''
    return { front, url, first, etag, lastModified }
  }

  test.each(formats)(
    'H1 %s without conditions: 200, every header, and the same bytes again',
    async (name, type) => {
      const { url, first } = await aPublishedFeed(`/${name}`)
      expect(first.status).toBe(200)
      expect(first.headers).toMatchObject({
        'content-type': type,
        'content-length': String(first.body.length),
        etag: expect.stringMatching(/^W\/"[\w-]{22}"$/) as string,
        'last-modified': expect.stringMatching(/ GMT$/) as string,
        'cache-control': 'public, max-age=300, stale-while-revalidate=600, stale-if-error=86400',
        vary: 'Accept-Encoding, Sec-Fetch-Dest',
        link: `<${url}>; rel="self"`,
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': '*',
      })
      for (const absent of ['set-cookie', 'expires', 'x-powered-by'])
        expect(first.headers[absent]).toBeUndefined()
      const again = await poll(`${url}?utm_source=x`)
      expect(again.body.equals(first.body)).toBe(true)
      expect(again.headers.etag).toBe(first.headers.etag)
    },
  )

  test('H2 the ETag echoed: a bare 304 that repeats its four headers', async () => {
    const { url, etag, first } = await aPublishedFeed()
    const { status, body, headers } = await poll(url, { headers: { 'if-none-match': etag } })
    expect(status).toBe(304)
    expect(body).toHaveLength(0)
    for (const name of ['etag', 'last-modified', 'cache-control', 'vary']) {
      expect([name, headers[name]]).toEqual([name, first.headers[name]])
    }
    expect(headers['content-length']).toBeUndefined()
    expect(headers['content-type']).toBeUndefined()
  })

  test('H3 If-None-Match as a list, *, weak, strong, and with the suffix of a proxy', async () => {
    const { url, etag } = await aPublishedFeed()
    const strong = etag.slice(2)
    const opaque = strong.slice(1, -1)
    const asked = async (value: string) => (await poll(url, { headers: { 'if-none-match': value } })).status
    const same = [
      etag,
      strong,
      '*',
      `"x", ${etag}`,
      `"x",${strong} , "y"`,
      `"${opaque}-gzip"`,
      `W/"${opaque}-br"`,
      `"${opaque};gzip"`,
    ]
    for (const value of same) expect([value, await asked(value)]).toEqual([value, 304])
    for (const value of ['"x"', `W/"${opaque}x"`, '', opaque.slice(1)]) {
      expect([value, await asked(value)]).toEqual([value, 200])
    }
  })

  test('H4 Node’s fetch, which adds Cache-Control: no-cache, gets its 304', async () => {
    const { url, etag } = await aPublishedFeed()
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const headers = { 'if-none-match': etag, 'cache-control': 'no-cache', pragma: 'no-cache' }
    expect((await poll(url, { headers })).status).toBe(304)
  })

  test('H5 If-None-Match decides over If-Modified-Since', async () => {
    const { url, etag, lastModified } = await aPublishedFeed()
    const ancient = { 'if-none-match': etag, 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }
    expect((await poll(url, { headers: ancient })).status).toBe(304)
    const other = { 'if-none-match': '"other"', 'if-modified-since': lastModified }
    expect((await poll(url, { headers: other })).status).toBe(200)
  })

  test('H6 If-Modified-Since: equal or later 304, earlier or unreadable 200', async () => {
    const { url, lastModified } = await aPublishedFeed()
    const asked = async (value: string) =>
      (await poll(url, { headers: { 'if-modified-since': value } })).status
    const time = Date.parse(lastModified)
    expect(await asked(lastModified)).toBe(304)
    expect(await asked(new Date(time + 60_000).toUTCString())).toBe(304)
    expect(await asked(new Date(time - 1_000).toUTCString())).toBe(200)
    // The oldest form names no zone, and is in UTC wherever we are.
    vi.stubEnv('TZ', 'America/New_York')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const oldest = (at: number) =>
      new Date(at).toUTCString().replace(/(...), (..) (...) (....) (.*) GMT/, '$1 $3 $2 $5 $4')
    expect([await asked(oldest(time)), await asked(oldest(time - 1_000))]).toEqual([304, 200])
    expect(await asked('yesterday, perhaps')).toBe(200)
    expect(await asked('')).toBe(200)
  })

  test('H7 A-IM: feed gets the whole feed, never 226', async () => {
    const { url, first } = await aPublishedFeed()
    const answer = await poll(url, { headers: { 'a-im': 'feed, diffe', 'if-none-match': '"x"' } })
    expect([answer.status, answer.body.equals(first.body), answer.headers['im']]).toEqual([
      200,
      true,
      undefined,
    ])
  })

  test('H8 HEAD mirrors GET, 304 included', async () => {
    const { url, first, etag } = await aPublishedFeed()
    const head = await poll(url, { method: 'HEAD' })
    expect([head.status, head.body.length]).toEqual([200, 0])
    const without = ({ date: _date, connection: _connection, ...rest }: typeof head.headers) => rest
    expect(without(head.headers)).toEqual(without(first.headers))
    expect((await poll(url, { method: 'HEAD', headers: { 'if-none-match': etag } })).status).toBe(304)
  })

  test('H9 gzip, br, identity and q=0 decode to the same bytes under one ETag', async () => {
    const { url, first, etag } = await aPublishedFeed()
    const decode = { gzip: gunzipSync, br: brotliDecompressSync, identity: (body: Buffer) => body }
    const cases: [string, keyof typeof decode][] = [
      ['gzip', 'gzip'],
      ['br', 'br'],
      ['gzip, deflate', 'gzip'],
      ['gzip, deflate, br, zstd', 'br'],
      ['br;q=0, gzip', 'gzip'],
      ['gzip;q=0.5, br;q=0.4', 'gzip'],
      ['*', 'br'],
      ['br;q=0, *', 'gzip'],
      ['identity', 'identity'],
      ['gzip;q=0', 'identity'],
      ['deflate', 'identity'],
      ['zstd;q=1, identity;q=0', 'identity'],
      ['x-gzip', 'gzip'],
      ['', 'identity'],
    ]
    for (const [accepted, expected] of cases) {
      const answer = await poll(url, { headers: { 'accept-encoding': accepted } })
      const encoding = answer.headers['content-encoding'] ?? 'identity'
      expect([accepted, encoding]).toEqual([accepted, expected])
      expect(decode[expected](answer.body).equals(first.body)).toBe(true)
      expect(answer.headers).toMatchObject({ etag, 'content-length': String(answer.body.length) })
    }
  })

  test('a whole URL is asked for, as of a proxy', async () => {
    const { url, first, etag } = await aPublishedFeed()
    expect((await poll(url, { path: `${url}?x=1` })).body.equals(first.body)).toBe(true)
    const again = await poll(url, { path: url, headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
  })

  test('H10 Accept: text/html is still answered with the feed', async () => {
    const { url, first } = await aPublishedFeed()
    const answer = await poll(url, { headers: { accept: 'text/html,application/xhtml+xml' } })
    expect(answer.headers['content-type']).toBe(first.headers['content-type'])
    expect(answer.body.equals(first.body)).toBe(true)
  })

  test('a person who opens a feed gets the same bytes as XML, so that the browser applies their style', async () => {
    const { url, first } = await aPublishedFeed()
    const answer = await poll(url, { headers: { 'sec-fetch-dest': 'document', accept: 'text/html' } })
    expect(answer.body.equals(first.body)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/xml; charset=utf-8',
      'cache-control': 'private, max-age=60',
      vary: first.headers.vary,
      etag: first.headers.etag,
    })
  })

  test('H14 hammering without conditions gets 429 with Retry-After; conditional polls still 304', async () => {
    const { url, etag, front } = await aPublishedFeed('/rss.xml', { limit: 5 })
    const statuses: number[] = []
    for (let i = 0; i < 8; i++) statuses.push((await poll(url)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429, 429, 429])
    const refused = await poll(url)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await poll(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
    expect((await poll(`${front.origin}/atom.xml`)).status).toBe(200)
    // A reader at the same address that has the feed of before gets the new one; one that always has it is stopped too.
    const before = { headers: { 'if-none-match': 'W/"before"' } }
    for (let i = 0; i < 5; i++) expect((await poll(url, before)).status).toBe(200)
    expect((await poll(url, before)).status).toBe(429)
  })

  test('other methods get 405 with Allow', async () => {
    const { url } = await aPublishedFeed()
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await poll(url, { method })
      expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
    }
  })

  test('OPTIONS tells the methods, and a page of any site may send validators', async () => {
    const { front, url } = await aPublishedFeed()
    front.found.set('/old/rss.xml', { kind: 'moved', to: '/rss.xml' })
    const { status, headers, body } = await poll(url, {
      method: 'OPTIONS',
      headers: { origin: 'https://reader.example', 'access-control-request-headers': 'if-none-match' },
    })
    expect([status, headers.allow, body.length]).toEqual([204, 'GET, HEAD, OPTIONS', 0])
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'If-None-Match, If-Modified-Since',
    })
    const moved = await poll(`${front.origin}/old/rss.xml`)
    expect([moved.status, moved.headers['access-control-allow-origin']]).toEqual([301, '*'])
  })

  test('a retired feed is gone, a moved one points to its new address, an unknown one is not there', async () => {
    const { front } = await aPublishedFeed()
    const { origin } = front
    front.found.set('/old/rss.xml', { kind: 'moved', to: '/rss.xml' })
    front.found.set('/ended/rss.xml', { kind: 'retired' })
    const moved = await poll(`${origin}/old/rss.xml`)
    expect([moved.status, moved.headers.location]).toEqual([301, `${origin}/rss.xml`])
    expect((await poll(`${origin}/ended/rss.xml`)).status).toBe(410)
    expect((await poll(`${origin}/nowhere/rss.xml`)).status).toBe(404)
  })

  test('what is no feed goes on', async () => {
    const { front } = await aPublishedFeed()
    for (const path of ['/', '/rss.xml/', '/feeds', '/xrss.xml', '/articles/rss.xml.html']) {
      expect([path, (await poll(front.origin + path)).text]).toEqual([path, 'not a feed'])
    }
  })

  test('H13 what cannot be read now is 503 with Retry-After, never an empty feed', async () => {
    const { front } = await aPublishedFeed()
    front.failWith(new Error('connection refused'))
    const answer = await poll(`${front.origin}/sections/culture/rss.xml`)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    expect((await poll(`${front.origin}/rss.xml`)).status).toBe(200)
  })
})
