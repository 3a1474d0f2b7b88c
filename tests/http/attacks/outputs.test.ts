import { simpleParser } from 'mailparser'
import { expect, onTestFinished, test, vi } from 'vitest'
import { translate } from '../../../src/locales.ts'
import { startWorking } from '../../../workers/working.ts'
import { signedIn } from '../../support/desk.ts'
import { aNewsroom } from '../../support/feeds.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { rowsOf } from '../../support/query.ts'
import { aReader } from '../../support/readers.ts'
import { aSmtpSink } from '../../support/smtp-sink.ts'
import { aSubscriber } from '../../support/subscribers.ts'

const notice = translate('fr', 'feeds.notice.text')

test('drafts and scheduled articles are in no feed, list or newsletter page; a withdrawn one is a notice', async () => {
  const web = await aNewsroom()
  const newsletter = await aNewsletter(web.context.database)
  await web.put('public', { title: 'Le marché rouvre' })
  await web.put('draft', { title: 'Brouillon secret', tags: ['secret'], state: 'draft' })
  await web.put('later', { title: 'Embargo secret', state: 'scheduled', publishedAt: '2199-01-01T00:00:00Z' })
  await web.put('wrong', { title: 'Titre faux', html: '<p>Texte faux.</p>' })
  await web.withdraw('wrong')
  await web.render()
  const feeds = ['', '/fr', '/sections/a-la-une', '/most-read'].flatMap((path) =>
    ['rss.xml', 'atom.xml', 'feed.json'].map((format) => `${path}/${format}`),
  )
  const pages = ['/', '/sections/a-la-une', '/feeds', '/feeds.opml', `/newsletters/${newsletter.slug}`]
  for (const path of [...feeds, ...pages]) {
    const response = await web.fetch(path)
    const body = await response.text()
    expect(response.status, path).toBe(200)
    expect(body, path).not.toMatch(/secret/i)
    expect(body, path).not.toMatch(/Texte faux|Titre faux/)
  }
  for (const path of ['/rss.xml', '/atom.xml', '/feed.json']) {
    const body = await (await web.fetch(path)).text()
    expect(body, path).toContain(`${notice} Une erreur de date.`)
  }
})

test('tags and authors of a story that is not out are as unknown as any other', async () => {
  const web = await aNewsroom()
  await web.put('public', { title: 'Le marché rouvre', tags: ['marche'], authors: ['Nadia Amrani'] })
  for (const state of ['draft', 'scheduled'] as const)
    await web.put(state, {
      title: state,
      state,
      publishedAt: '2199-01-01T00:00:00Z',
      tags: ['demission', 'marche'],
      authors: ['Une Source'],
    })
  const answers = async (paths: string[]) =>
    Promise.all(
      paths.map(async (path) => {
        const response = await web.fetch(path)
        return [response.status, (await response.text()).replaceAll(/demission|une-source|inconnu/g, '…')]
      }),
    )
  const pathsOf = (tag: string, author: string) =>
    ['', '/rss.xml', '/atom.xml', '/feed.json'].flatMap((rest) => [
      `/tags/${tag}${rest}`,
      `/authors/${author}${rest}`,
    ])
  const everyPathOf = (tag: string, author: string) => [
    ...pathsOf(tag, author),
    ...[`/tag/${tag}/`, `/tag/${tag}/feed/`, `/author/${author}/`],
  ]
  const hidden = await answers(everyPathOf('demission', 'une-source'))
  expect(hidden.map(([status]) => status)).toEqual(hidden.map(() => 404))
  expect(hidden).toEqual(await answers(everyPathOf('inconnu', 'inconnu')))
  for (const [status, body] of await answers(pathsOf('marche', 'nadia-amrani'))) {
    expect(status).toBe(200)
    expect(body).toContain('Le marché rouvre')
  }
})

test('the page of a withdrawn article answers 410 with its notice, and with none of its words', async () => {
  const web = await aNewsroom()
  await web.put('wrong', { title: 'Titre faux', html: '<p>Texte faux.</p>', summary: 'Chapeau faux' })
  const [article] = await rowsOf<{ slug: string }>(web, 'select slug from articles')
  const path = `/articles/${article?.slug}`
  expect((await web.fetch(path)).status).toBe(200)
  await web.withdraw('wrong')
  const page = await web.fetch(path)
  const body = await page.text()
  expect(page.status).toBe(410)
  expect(body).toContain(translate('fr', 'site.withdrawn.title'))
  expect(body).toContain('Une erreur de date.')
  expect(body).not.toMatch(/(Titre|Texte|Chapeau) faux/)
})

test('hostile names are literal in the mail and on the desk', async () => {
  const web = await aNewsroom()
  const hostile = '<script>alert(1)</script>{{7*7}}${7*7}'
  const newsletter = await aNewsletter(web.context.database, { name: hostile })
  await web.put('hostile', { title: hostile, authors: [hostile] })
  await aSubscriber(web.context.database, { newsletter })
  const call = await web.api('admin')
  const composed = await call('POST', `/newsletters/${newsletter.slug}/digests`, { cadence: 'daily' })
  const { id } = (await composed.json()) as { id: number }
  const mail = await (await call('GET', `/digests/${id}/preview`)).text()
  const desk = await signedIn(web, 'admin')
  const paths = ['/newsletters', `/newsletters/${newsletter.slug}`, '/articles', `/digests/${id}`]
  const pages = await Promise.all(paths.map(async (path) => (await desk.get(path)).text()))
  for (const page of [mail, ...pages]) {
    expect(page).toContain('{{7*7}}${7*7}')
    expect(page).not.toContain('<script>alert')
  }
})

test('a signup with a foreign Host and a thousand parameters changes no link of the mail and leaves no row', async () => {
  const sink = await aSmtpSink({ isKeeping: true })
  const web = await aNewsroom({ env: { SMTP_URL: sink.url } })
  const newsletter = await aNewsletter(web.context.database)
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`p${n}`, '1']))
  const refused = await aReader(web).post('/subscribe', { email: 'b@reader.example', ...many })
  expect([400, 413, 422]).toContain(refused.status)
  const forwarded = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
  const fields = { email: 'a@reader.example', newsletters: newsletter.slug }
  const answer = await aReader(web).post('/subscribe', fields, forwarded)
  expect(await answer.text()).not.toContain('evil.example')
  const working = await startWorking(web.context)
  onTestFinished(() => working.drain())
  await vi.waitFor(() => {
    expect(sink.received).toHaveLength(1)
  }, 60_000)
  expect(sink.received[0]?.to).toEqual(['a@reader.example'])
  const mail = await simpleParser(sink.received[0]?.raw ?? Buffer.alloc(0))
  const inHtml = String(mail.html).matchAll(/(?:href|src|action)="([^"]+)"/g)
  const links = [...(mail.text?.match(/https?:\/\/\S+/g) ?? []), ...[...inHtml].map(([, link = '']) => link)]
  expect(links.some((link) => link.startsWith(`${web.origin}/activate/`))).toBe(true)
  expect(new Set(links.map((link) => new URL(link).origin))).toEqual(new Set([web.origin]))
  expect(await rowsOf(web, 'select address from activations')).toEqual([{ address: 'a@reader.example' }])
})
