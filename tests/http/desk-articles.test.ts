import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { aWeb } from '../support/web.ts'

test('an editor sees every state and withdraws with a reason; a viewer cannot', async () => {
  const web = await aWeb()
  const put = (externalId: string, state: 'draft' | 'published') =>
    web.context.services.articles.put(externalId, {
      title: `Le phare <${externalId}>`,
      html: '<p>Le phare se rallume.</p>',
      language: 'fr',
      state,
    })
  await put('phare:1', 'published')
  await put('phare:2', 'draft')

  const viewer = await signedIn(web, 'viewer')
  const list = await (await viewer.get('/articles')).text()
  expect(list).toContain('Le phare &lt;phare:1&gt;')
  expect(list).toContain('Le phare &lt;phare:2&gt;')
  const drafts = await (await viewer.get('/articles?state=draft')).text()
  expect(drafts).not.toContain('phare:1')
  expect((await viewer.post('/articles/phare%3A1/withdraw', { reason: 'Erreur' })).status).toBe(403)

  const editor = await signedIn(web, 'editor')
  expect((await editor.post('/articles/phare%3A1/withdraw', { reason: '' })).status).toBe(422)
  const done = await editor.post('/articles/phare%3A1/withdraw', { reason: 'Une erreur de date' })
  expect(done.status).toBe(303)
  expect(await (await editor.get('/articles/phare%3A1')).text()).toContain('Une erreur de date')
  expect((await web.context.services.articles.get('phare:1')).state).toBe('withdrawn')
})
