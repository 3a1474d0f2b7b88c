import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { fetchPublic, isPublicAddress } from '../../src/import/fetch-public.ts'

async function aServer(listener: RequestListener): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests }
}

const loopbackAllowed = {
  isAllowed: (address: string) => address === '127.0.0.1' || isPublicAddress(address),
}
const resolveTo = (...addresses: string[]) => ({
  resolve: (_name: string, done: (error: null, found: { address: string; family: number }[]) => void) => {
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  },
})

const inside = `
  127.0.0.1 127.8.9.1 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.1
  192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1
  fe80::1 fc00::1 fd00:ec2::254 ff02::1 64:ff9b::a00:1 64:ff9b:1::a00:1 2002:a00:1:: 2001::1
  2001:db8::1 fec0::1 ::10.0.0.1 100::1`

test.each([...inside.trim().split(/\s+/), 'nonsense'])('%s is no public address', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(['8.8.8.8', '93.184.215.14', '2606:2800:21f::1', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

test('inside addresses in every spelling, and names that resolve to one, are refused before a connection', async () => {
  const { port, requests } = await aServer((_request, response) => response.end('secret'))
  const spellings = [
    '127.0.0.1',
    'localhost',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '127.1',
  ]
  for (const host of spellings) {
    await expect(fetchPublic(`http://${host}:${port}/`), host).rejects.toMatchObject({
      code: 'address_refused',
    })
  }
  const url = `http://feeds.example:${port}/`
  for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::ffff:7f00:1'], ['169.254.169.254']]) {
    await expect(fetchPublic(url, resolveTo(...addresses))).rejects.toMatchObject({ code: 'address_refused' })
  }
  expect(requests).toEqual([])
})

test('a name that leads nowhere is a sentence, not the end of the process', async () => {
  // Node hands an error over alone.
  const resolve = (_name: string, done: (error: Error, addresses: never) => void) => {
    done(new Error('getaddrinfo ENOTFOUND'), undefined as never)
  }
  for (const url of ['http://typing-error.example/', 'https://typing-error.example/feed'])
    await expect(fetchPublic(url, { resolve })).rejects.toMatchObject({ code: 'fetch_failed' })
})

test('a name is resolved once per connection, so one that changes its answer cannot lead inside', async () => {
  const { port } = await aServer((_request, response) => response.end('<rss/>'))
  let asked = 0
  const resolve = (
    _name: string,
    done: (error: null, found: { address: string; family: number }[]) => void,
  ) => {
    asked += 1
    done(null, [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }])
  }
  const { body } = await fetchPublic(`http://feeds.example:${port}/`, { ...loopbackAllowed, resolve })
  expect(body.toString()).toBe('<rss/>')
  expect(asked).toBe(1)
})

test('a redirect is judged like the first URL, and there are at most three', async () => {
  const { port, requests } = await aServer((request, response) => {
    const to =
      request.url === '/inside'
        ? 'http://169.254.169.254/latest/meta-data/'
        : request.url === '/file'
          ? 'file:///etc/passwd'
          : '/again'
    response.writeHead(302, { location: to }).end()
  })
  const get = (path: string) =>
    fetchPublic(`http://feeds.example:${port}${path}`, { ...loopbackAllowed, ...resolveTo('127.0.0.1') })
  await expect(get('/inside')).rejects.toMatchObject({ code: 'address_refused' })
  await expect(get('/file')).rejects.toMatchObject({ code: 'fetch_failed' })
  requests.length = 0
  await expect(get('/loop')).rejects.toMatchObject({ code: 'fetch_failed' })
  expect(requests).toHaveLength(4)
})

test('a redirect to a path that is not ASCII, in the bytes that it is written in', async () => {
  const { port, requests } = await aServer((request, response) => {
    const location = Buffer.from('/ميناء').toString('latin1')
    if (request.url === '/') response.writeHead(301, { location }).end()
    else response.end('<rss/>')
  })
  await fetchPublic(`http://127.0.0.1:${port}/`, loopbackAllowed)
  expect(requests.map(decodeURI)).toEqual(['/', '/ميناء'])
})

test('more than 5 MB, also unpacked from little, is refused', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const { port } = await aServer((request, response) => {
    if (request.url === '/bomb') response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    else response.end(Buffer.alloc(6_000_000))
  })
  for (const path of ['/bomb', '/plain']) {
    const got = fetchPublic(`http://127.0.0.1:${port}${path}`, loopbackAllowed)
    await expect(got).rejects.toMatchObject({ code: 'fetch_too_large' })
  }
})

test('a server that drips is left after 5 seconds', async () => {
  const { port } = await aServer((_request, response) => {
    const drip = setInterval(() => response.write('x'), 200)
    response.on('close', () => {
      clearInterval(drip)
    })
  })
  const got = fetchPublic(`http://127.0.0.1:${port}/`, loopbackAllowed)
  await expect(got).rejects.toMatchObject({
    code: 'fetch_failed',
    message: expect.stringContaining('5 seconds') as string,
  })
})

test.each(['ftp://news.example/', 'javascript:alert(1)', 'http://user:pass@news.example/', 'not a url'])(
  '%s is refused',
  async (url) => {
    await expect(fetchPublic(url)).rejects.toMatchObject({ code: 'fetch_failed' })
  },
)

test.each([
  ['application/rss+xml; charset=ISO-8859-15', 'ISO-8859-15'],
  ['text/xml;Charset="windows-1256"; x=y', 'windows-1256'],
  ['application/xml', undefined],
])('%s: what a server says of its bytes is told, and a body in pieces unpacked', async (type, charset) => {
  const packed = gzipSync(Buffer.from('<rss>é</rss>', 'latin1'))
  const { port } = await aServer((_request, response) => {
    response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' })
    for (const byte of packed) response.write(Uint8Array.of(byte))
    response.end()
  })
  expect(await fetchPublic(`http://127.0.0.1:${port}/`, loopbackAllowed)).toMatchObject({
    charset,
    body: Buffer.from('<rss>é</rss>', 'latin1'),
  })
})
