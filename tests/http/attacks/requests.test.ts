import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { signedIn } from '../../support/desk.ts'
import { aWeb, type Web } from '../../support/web.ts'

/** Sends bytes as they are and reads until the server has said its headers, or closed. */
function raw(web: Web, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(web.origin).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString()
      if (answer.includes('\r\n\r\n')) socket.end()
    })
    socket.on('close', () => {
      resolve(answer)
    })
    socket.on('error', reject)
    socket.write(bytes)
  })
}

test.each([
  ['a foreign Host', 'GET /desk/sign-in HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
  [
    'forwarded headers',
    'GET /desk/sign-in HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nConnection: close\r\n\r\n',
  ],
  [
    'an absolute request URI',
    'GET http://evil.example/desk/sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  ],
  ['a second Host', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
])('%s never shows in an answer', async (_name, bytes) => {
  const web = await aWeb()
  expect(await raw(web, bytes)).not.toContain('evil.example')
})

test.each([true, false])(
  'a whole URL is asked for: the page is that of its path (front first: %s)',
  async (isFrontFirst) => {
    const web = await aWeb({ isFrontFirst })
    const ask = async (target: string) => {
      const answer = await raw(web, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      const [head = '', body] = answer.split(/\r\n\r\n([^]*)/)
      return [
        head.split('\r\n')[0],
        /^Location: .*/im.exec(head)?.[0],
        body?.replaceAll(/value="[^"]*"/g, ''),
      ]
    }
    for (const path of ['/', '/fr', '/?x=1', '/subscribe', '/feeds', '/desk', '/feed/', '/rss.xml'])
      expect(await ask(`http://evil.example${path}`), path).toEqual(await ask(path))
    expect(await ask('http://evil.example')).toEqual(await ask('/'))
    expect(await ask('http://evil.example?x=1')).toEqual(await ask('/?x=1'))
  },
)

test('what a proxy keeps to the office has one address', async () => {
  const web = await aWeb()
  const { cookie } = await signedIn(web, 'admin')
  const statusOf = async (path: string) =>
    (await web.fetch(path, { headers: { cookie, accept: 'text/html' } })).status
  expect(await statusOf('/desk/settings')).toBe(200)
  for (const path of [
    '/DESK/settings',
    '/desk/Settings',
    '/fr/desk/settings',
    '/ar/Desk/audit',
    '/API/V1/keys',
    '/READYZ',
    '/readyz/',
  ])
    expect(await statusOf(path), path).toBe(404)
})

test.each([
  '/subscribe',
  '/healthz',
  '/rss.xml',
  '/fr/atom.xml',
  '/api/v1/openapi.json',
  '/assets/style.css',
])('%s of two hosts is refused', async (path) => {
  const web = await aWeb()
  const answer = await raw(
    web,
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\nConnection: close\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1.1 400 [^]*two_hosts/)
})

test('on one machine pages have one name: the other leads there', async () => {
  const web = await aWeb()
  const { port } = new URL(web.origin)
  const answer = await fetch(`http://127.0.0.1:${port}/subscribe?newsletters=x`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([
    307,
    `${web.origin}/subscribe?newsletters=x`,
  ])
})

test.each([
  '/%2e%2e/package.json',
  '//evil.example',
  '/rss.xml/x.css',
  '/rss.xml%2fx.css',
  '/articles/%2e%2e%2frss.xml',
  '/assets/..%2f..%2fpackage.json',
  '/%00',
  '/%ff',
  '/desk/sign-in/%2e%2e%2f',
])('%s is not found, says nothing of the inside, and is not cached', async (path) => {
  const web = await aWeb()
  const response = await web.fetch(path)
  const body = await response.text()
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect(response.status).toBeLessThan(500)
  expect(body).not.toMatch(/node_modules|\.ts:|at .*\(/)
  expect(response.headers.get('cache-control') ?? 'no-store').not.toContain('public')
})

test('a thousand guessed sign-in links open nothing', async () => {
  const web = await aWeb()
  for (let batch = 0; batch < 10; batch++) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        web.fetch(`/desk/sign-in/${crypto.randomUUID().replaceAll('-', '')}`, { method: 'POST' }),
      ),
    )
    for (const answer of answers) {
      expect(answer.status).toBe(410)
      expect(answer.headers.get('set-cookie')).toBeNull()
    }
  }
})
