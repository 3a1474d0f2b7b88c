import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aWeb } from '../support/web.ts'

const rules = {
  language: 'fr',
  minArticles: '1',
  maxArticles: '12',
  repeats: 'never',
  template: 'digest',
  cadences: 'daily',
  zone: 'Africa/Algiers',
}
const settings = {
  name: 'Le Rivage',
  deskName: 'La rédaction',
  postalAddress: '1, quai des Voiles',
  contactEmail: '',
  ambiguousPolicy: 'resend_once',
}

test.each([
  {
    path: '/newsletters/le-matin',
    first: { ...rules, name: 'Le Matin', description: 'De A' },
    second: { ...rules, name: 'Le Matin', description: 'De B' },
  },
  {
    path: '/settings',
    action: '/settings/publication',
    first: { ...settings, description: 'De A' },
    second: { ...settings, description: 'De B' },
  },
  { path: '/look', first: { 'footer.fr': 'De A' }, second: { 'footer.fr': 'De B' } },
])('two who save $path at once do not undo each other unseen', async (form) => {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin', name: 'Le Matin' })
  const [a, b] = [await signedIn(web, 'admin'), await signedIn(web, 'admin')]
  const { path, action = path } = form
  const versionIn = (html: string) => /name="version" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const accent = path === '/look' ? { accent: '' } : {}
  const version = versionIn(await (await a.get(path)).text())
  expect((await a.post(action, { ...accent, ...form.first, version })).status).toBe(303)

  const overtaken = await b.post(action, { ...accent, ...form.second, version })
  expect(overtaken.status).toBe(422)
  const page = await overtaken.text()
  expect(page).toContain('Quelqu’un a enregistré cette page')
  expect(page).toContain('De B')
  expect(await (await a.get(path)).text()).toContain('De A')

  expect((await b.post(action, { ...accent, ...form.second, version: versionIn(page) })).status).toBe(303)
  expect(await (await a.get(path)).text()).toContain('De B')
})

test('a fault of another kind does not make seen what somebody saved meanwhile', async () => {
  const web = await aWeb()
  const [a, b] = [await signedIn(web, 'admin'), await signedIn(web, 'admin')]
  const versionIn = (html: string) => /name="version" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const typed = { ...settings, description: 'De B' }
  const version = versionIn(await (await b.get('/settings')).text())
  await a.post('/settings/publication', { ...settings, description: 'De A', version })
  const refused = await b.post('/settings/publication', { ...typed, contactEmail: 'personne', version })
  const kept = versionIn(await refused.text())
  expect((await b.post('/settings/publication', { ...typed, version: kept })).status).toBe(422)
  expect((await web.context.services.publication.get()).description).toBe('De A')
})
