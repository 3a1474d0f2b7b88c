import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn, type DeskClient } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

async function aDesk() {
  const web = await aWeb()
  await anArticle(web.context.database, { externalId: 'phare', title: 'Le phare', sections: ['culture'] })
  return { web, desk: await signedIn(web, 'admin') }
}

/** The page that a refused form is answered with, which must say its faults. */
async function refused(desk: DeskClient, path: string, fields: Record<string, string>) {
  const answer = await desk.post(path, fields)
  const html = await answer.text()
  expect([answer.status, html.match(/role="alert">([^<]*)/)?.[1]]).toEqual([
    422,
    'Rien n’est enregistré. Corrigez ce qui est marqué.',
  ])
  const marked = [...html.matchAll(/<(?:input|textarea|select)[^>]*?name="(\w+)"[^>]*aria-invalid="true"/g)]
  const sentences = [...html.matchAll(/<small id="(\w+)-fault" class="fault">([^<]+)</g)]
  const fault = sentences.map(([, name = '', sentence = '']) => [name, sentence])
  expect(marked.map(([, name]) => name)).toEqual(fault.map(([name]) => name))
  const named = [...html.matchAll(/ (?:aria-describedby="|href="#)([^"]+)"/g)]
  const ids = named.flatMap(([, names = '']) => names.split(' '))
  expect(ids.filter((id) => !html.includes(` id="${id}"`))).toEqual([])
  return { html, faults: Object.fromEntries(fault) as Record<string, string> }
}

const publication = {
  name: 'Le Rivage',
  description: 'Des nouvelles <de la côte>',
  deskName: 'La rédaction',
  postalAddress: '1, quai du Port',
  contactEmail: 'contact@rivage.example',
  ambiguousPolicy: 'hold',
}

test('settings of the publication are shown again as they were typed, with the sentence at the field', async () => {
  const { web, desk } = await aDesk()
  const before = await web.context.services.publication.get()
  const typed = { ...publication, name: ' ', contactEmail: 'contact à rivage' }
  const { html, faults } = await refused(desk, '/settings/publication', typed)
  expect(Object.keys(faults)).toEqual(['name', 'contactEmail'])
  expect(faults['contactEmail']).toBe('Une seule adresse, comme nom@example.org.')
  for (const value of [
    'value="contact à rivage"',
    'value="1, quai du Port"',
    'Des nouvelles &lt;de la côte&gt;',
  ])
    expect(html).toContain(value)
  expect(html).toMatch(/<option value="hold" selected>/)
  expect(await web.context.services.publication.get()).toEqual(before)
  const long = { ...publication, postalAddress: 'x'.repeat(501) }
  expect((await refused(desk, '/settings/publication', long)).faults).toEqual({
    postalAddress: '500 caractères au plus.',
  })
  const door = { ...publication, responses: 'ajar' }
  expect(Object.keys((await refused(desk, '/settings/publication', door)).faults)).toEqual(['responses'])
})

test('an editor to add and a key to make keep what was typed', async () => {
  const { web, desk } = await aDesk()
  const editor = { email: 'pas une adresse', role: 'viewer' }
  const broken = await refused(desk, '/settings/editors', editor)
  expect(Object.keys(broken.faults)).toEqual(['email'])
  expect(broken.html).toContain('value="pas une adresse"')
  expect(broken.html).toMatch(/<input type="email" name="email"[^]*?<option value="viewer" selected>/)
  const { email } = await web.context.services.editors.add(
    { email: 'nour@rivage.example', role: 'editor' },
    { kind: 'cli', role: 'admin' },
  )
  const known = await refused(desk, '/settings/editors', { email, role: 'editor' })
  expect(known.faults['email']).toContain('que personne de la rédaction n’a déjà')
  const key = await refused(desk, '/settings/keys', { name: 'W'.repeat(101), role: 'admin' })
  expect(key.faults).toEqual({ name: 'Un nom, de 100 caractères au plus.' })
  expect(key.html).toContain(`value="${'W'.repeat(101)}"`)
  // The form of the publication has a name too, and nothing is wrong with that one.
  expect(key.html.match(/aria-invalid/g)).toHaveLength(1)
})

test.each(['/nulle/part/rss.xml', 'partout', '/rss.xml', ' '])(
  'a feed moved to "%s" opens the form again',
  async (to) => {
    const { web, desk } = await aDesk()
    await web.fetch('/rss.xml')
    const { html, faults } = await refused(desk, '/feeds/move', { path: '/rss.xml', to })
    expect(faults['to']).toContain('Le chemin d’un autre flux')
    expect(html).toContain(`value="${to}"`)
    expect(html).toMatch(/<details open>\s*<summary>Déplacer/)
  },
)

test('a reason to withdraw and a reason to suppress are kept', async () => {
  const { web, desk } = await aDesk()
  const reason = 'R'.repeat(501)
  const withdrawn = await refused(desk, '/articles/phare/withdraw', { reason })
  expect(withdrawn.html).toContain(`value="${reason}"`)
  expect(withdrawn.html).toContain('<details open>')
  expect(Object.keys((await refused(desk, '/articles/phare/withdraw', { reason: ' ' })).faults)).toEqual([
    'reason',
  ])
  const person = await aSubscriber(web.context.database)
  const suppressed = await refused(desk, `/subscribers/${person.id}/suppress`, { detail: reason })
  expect(suppressed.faults).toEqual({ detail: '500 caractères au plus.' })
  expect(suppressed.html).toContain(`value="${reason}"`)
})

test('a digest to compose and a time to send it at are kept', async () => {
  const { web, desk } = await aDesk()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await aSubscriber(database, { newsletter })
  const wish = { newsletter: newsletter.slug, cadence: 'daily', articles: 'nulle-part' }
  const unknown = await refused(desk, '/digests', wish)
  expect(unknown.faults).toEqual({ articles: expect.stringContaining('article publié') as string })
  expect(unknown.html).toContain('value="nulle-part"')
  expect(unknown.html).toContain('<details class="compose" open>')
  const never = await refused(desk, '/digests', { ...wish, cadence: 'weekly' })
  expect(Object.keys(never.faults)).toEqual(['cadence'])
  expect(never.html).toContain('<option value="weekly" selected>')

  const actor = { kind: 'cli', role: 'admin' } as const
  await services.publication.set({ postalAddress: '1, quai du Port' }, actor)
  const { id, version } = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, actor)
  for (const sendAt of ['2020-01-01T07:00', 'demain']) {
    const late = await refused(desk, `/digests/${id}/schedule`, { sendAt, version: String(version) })
    expect(late.faults).toEqual({ sendAt: 'Une date et une heure à venir.' })
    expect(late.html).toContain(`value="${sendAt}"`)
  }
  expect((await services.digests.get(id)).state).toBe('draft')
})

test.each([
  ['ar', 'لم يُحفظ شيء. صحّحوا ما وُضعت عليه علامة.'],
  ['en', 'Nothing was saved. Correct what is marked.'],
])('faults are said in the editor’s language: %s', async (language, title) => {
  const { desk } = await aDesk()
  await desk.post('/settings/language', { language })
  const html = await (await desk.post('/articles/phare/withdraw', { reason: '' })).text()
  expect(html).toContain(title)
  expect(html).not.toContain('desk.faults')
})

test('what is not about a field stays an error page', async () => {
  const { desk } = await aDesk()
  const gone = await desk.post('/feeds/move', { path: '/nulle/part/rss.xml', to: '/rss.xml' })
  expect(gone.status).toBe(404)
})

test('what a role does not open says so, and a digest that changed meanwhile leads back to it', async () => {
  const { web, desk } = await aDesk()
  const viewer = await signedIn(web, 'viewer')
  const closed = await viewer.get('/articles/new')
  expect([closed.status, await closed.text()]).toEqual([403, expect.stringContaining('Votre rôle')])
  const { id } = await web.context.services.digests.compose(
    (await aNewsletter(web.context.database)).slug,
    { cadence: 'daily' },
    { kind: 'system', role: 'admin' },
  )
  const stale = await desk.post(`/digests/${id}/send`, { version: '999', key: 'one-click' })
  expect([stale.status, await stale.text()]).toEqual([
    412,
    expect.stringContaining(`<a href="/desk/digests/${id}">Revoir la page</a>`),
  ])
})

test('a mistyped address stays at the desk, and a form at fault keeps the other languages', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  const missing = await desk.get('/nulle-part')
  const page = await missing.text()
  expect(missing.status).toBe(404)
  expect(page).toContain('href="/desk">Aujourd’hui</a>')
  expect(page).toContain('href="/desk/newsletters"')
  const refused = await desk.post('/articles/desk:1', {
    version: '0',
    title: '',
    markdown: 'Un mot',
    language: 'fr',
  })
  expect([refused.status, (await refused.text()).includes('name="back" value="/articles/desk:1"')]).toEqual([
    422,
    true,
  ])
  expect((await desk.get('/articles/desk:1')).status).toBe(200)
})

test('who was signed out meanwhile reads so, and that nothing was saved', async () => {
  const { web } = await aDesk()
  const headers = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await web.fetch('/desk/settings/language', { method: 'POST', headers, body: 'language=ar' })
  expect([answer.status, await answer.text()]).toEqual([
    401,
    expect.stringMatching(/<title>Vous n’êtes plus connecté[^]*Rien n’est enregistré/),
  ])
})

test('what was typed while signed out is kept: sent again after signing in, it is saved', async () => {
  const { web, desk } = await aDesk()
  const typed = new FormData()
  const words = {
    title: 'Le bac reprend',
    markdown: 'Le bac <b>reprend</b>\n\nlundi & mardi, à sept heures du matin.',
  }
  const fields = { csrf: desk.csrf, version: '', language: 'fr', state: 'draft', ...words }
  for (const [name, value] of Object.entries(fields)) typed.append(name, value)
  const post = (body: FormData | URLSearchParams, cookie: string) =>
    web.fetch('/desk/articles/desk:9', { method: 'POST', headers: { accept: 'text/html', cookie }, body })
  const again = (html: string) => {
    const kept = [
      ...html.matchAll(
        /<input type="hidden" name="(\w+)" value="([^"]*)">|<textarea name="(\w+)"[^>]*>\n([^<]*)</g,
      ),
    ]
    return new URLSearchParams(
      kept.map(([, name = '', value = '', long = '', text = '']): [string, string] => [
        name || long,
        (value || text).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
      ]),
    )
  }
  const out = await post(typed, '')
  expect(out.status).toBe(401)
  // Somebody else's session has another token: one press more, and never without one.
  const { cookie } = await signedIn(web, 'editor')
  const asked = await post(again(await out.text()), cookie)
  expect(asked.status).toBe(403)
  expect((await post(again(await asked.text()), cookie)).status).toBe(303)
  expect(await web.context.services.articles.get('desk:9')).toMatchObject(words)
})
