import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

/** Another site, whose pages hold what a test says. */
async function aSite(pages: Record<string, string>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(200, { 'content-type': 'text/html' }).end(pages[request.url ?? ''] ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, pages }
}

async function aNewsroom(env: Record<string, string> = { SOURCE_HOSTS: '127.0.0.1' }) {
  const web = await aWeb({ env })
  const { services, database } = web.context
  await services.publication.set({ trackbacks: 'on' }, cli)
  const article = await anArticle(database, { slug: 'le-port', title: 'Le port', responses: 'open' })
  await rowsOf(web, `update articles set old_path = '/2012/03/14/le-port'`)
  const page = `${web.origin}/articles/le-port`
  const linking = `<title>Leur page</title><h1>x</h1><p>On lit <a class="y" href="${page}#top">ici</a> que le port.</p>`
  const site = await aSite({
    '/links': linking,
    '/short': `<p><a href="${web.origin}/s/${article.shortCode}?utm_source=x">ici</a></p>`,
    '/old': `<a href='${web.origin}/2012/03/14/le-port/'>ici</a>`,
    '/hidden': `<!-- <a href="${page}">ici</a> --><script>"<a href='${page}'>"</script><p>${page}</p>`,
  })
  const track = async (
    path: string,
    fields: Record<string, string> = {},
    at = '/articles/le-port/trackback',
  ) => {
    const body = new URLSearchParams({ url: site.origin + path, ...fields })
    const answer = await web.fetch(at, { method: 'POST', body })
    expect(answer.headers.get('content-type')).toContain('text/xml')
    const xml = await answer.text()
    return /<error>0</.test(xml) ? 'taken' : (/<message>([^<]*)/.exec(xml)?.[1] ?? xml)
  }
  const ping = async (path: string, target = page) => {
    const string = (text: string) => `<param><value><string>${text}</string></value></param>`
    const body = `<?xml version="1.0"?><methodCall><methodName>pingback.ping</methodName><params>${string(site.origin + path)}${string(target)}</params></methodCall>`
    const xml = await (await web.fetch('/xmlrpc', { method: 'POST', body })).text()
    return /<int>(-?\d+)</.exec(xml)?.[1] ?? (xml.includes('<fault>') ? xml : 'taken')
  }
  const held = () =>
    rowsOf(web, 'select kind, author, author_url, html, state from written_responses order by id')
  return { web, services, site, page, track, ping, held }
}

test('a trackback or pingback is held once its page was seen to link here, by any of the addresses of the article', async () => {
  const { web, services, site, page, track, ping, held } = await aNewsroom()
  const shown = await web.fetch('/articles/le-port')
  expect(shown.headers.get('x-pingback')).toBe(`${web.origin}/xmlrpc`)
  expect(await shown.text()).toContain(`<link rel="pingback" href="${web.origin}/xmlrpc">`)

  const told = {
    title: 'Chez nous &amp; <b>ailleurs</b>',
    excerpt: '<script>x</script> dit-on',
    blog_name: 'Le Voisin',
  }
  expect(await track('/links', told)).toBe('taken')
  expect(await track('/old', {}, '/2012/03/14/le-port/trackback/')).toBe('taken')
  expect(await ping('/short', `${page}/`)).toBe('taken')
  const host = site.origin.slice('http://'.length)
  expect(await held()).toMatchObject([
    {
      kind: 'trackback',
      author: 'Le Voisin',
      author_url: `${site.origin}/links`,
      html: '<p>Chez nous &amp; ailleurs</p><p>&lt;script&gt;x&lt;/script&gt; dit-on</p>',
      state: 'held',
    },
    { author: host, html: '<p>ici</p>' },
    { author: host, author_url: `${site.origin}/short` },
  ])
  expect(await (await web.fetch('/articles/le-port')).text()).not.toContain('Le Voisin')
  const { data } = await services.writtenResponses.list('held', { limit: 9, after: undefined })
  await services.writtenResponses.decide(data.at(-1)?.id ?? 0, 'published', cli)
  expect(await (await web.fetch('/articles/le-port')).text()).toContain('Le Voisin')
})

test('nothing is taken of a page that does not link here, of our own, twice, in mass, or where it is closed or off', async () => {
  const { web, services, site, page, track, ping, held } = await aNewsroom()
  expect(await track('/hidden')).toContain('does not link')
  expect(await ping('/hidden')).toBe('17')
  expect(await ping('/links', `${web.origin}/articles/nowhere`)).toBe('32')
  expect(await track('/links', { url: page })).toContain('to itself')
  expect(await track('/links', { url: 'javascript:1' })).toContain('address of your page')
  expect(await track('/links')).toBe('taken')
  expect(await track('/links#again')).toContain('before')
  expect(await ping('/links')).toBe('48')
  for (let n = site.asked.length; n < 10; n++) expect(await track(`/${n}`)).toContain('does not link')
  expect(await track('/links?more')).toContain('Too many')
  expect(site.asked).toHaveLength(10)
  await rowsOf(web, `delete from rate_limits where key like 'signup%'`)
  await rowsOf(web, 'update articles set responses_open = false')
  expect(await track('/short')).toContain('closed')
  expect((await web.fetch('/articles/le-port')).headers.get('x-pingback')).toBeNull()
  await services.publication.set({ trackbacks: 'off' }, cli)
  expect(await track('/short')).toContain('No trackbacks')
  expect(await held()).toHaveLength(1)
})

test('no page within our own network is fetched, nor by a copy of the database', async () => {
  const { web, site, track } = await aNewsroom({})
  expect(await track('/links')).toContain('not public')
  await web.context.services.presence.beat()
  await rowsOf(web, 'update instance_guard set held_at = now()')
  expect(await track('/links')).toContain('No trackbacks')
  expect(site.asked).toEqual([])
})
