import { expect, test } from 'vitest'
import { signedIn } from '../../support/desk.ts'
import { aNewsroom } from '../../support/feeds.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { lastMail, aReader } from '../../support/readers.ts'
import { aSubscriber } from '../../support/subscribers.ts'

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
    expect(body, path).not.toContain('Texte faux')
  }
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

test('a signup with a foreign Host and a thousand parameters changes no link and leaves no row', async () => {
  const web = await aNewsroom()
  const newsletter = await aNewsletter(web.context.database)
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`p${n}`, '1']))
  const refused = await aReader(web).post('/subscribe', { email: 'b@reader.example', ...many })
  expect([400, 413, 422]).toContain(refused.status)
  const forwarded = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
  const fields = { email: 'a@reader.example', newsletters: newsletter.slug }
  const answer = await aReader(web).post('/subscribe', fields, forwarded)
  expect(await answer.text()).not.toContain('evil.example')
  await web.context.services.signupDecisions.decideAll()
  const { activationId } = await lastMail(web, 'a@reader.example')
  const url = web.context.services.subscriptionLinks.activationUrl(activationId)
  expect(url.startsWith(`${web.origin}/activate/`)).toBe(true)
  await expect(lastMail(web, 'b@reader.example')).rejects.toThrow('no mail')
})
