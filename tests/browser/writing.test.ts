import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aPage, fits, lightOf, listViolations, phone } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aWeb } from '../support/web.ts'

async function aDesk() {
  const web = await aWeb()
  const desk = await signedIn(web, 'editor')
  const open = async (options: Parameters<typeof aPage>[0]) => {
    const page = await aPage(options)
    const [name = '', value = ''] = desk.cookie.split('=')
    await page.context().addCookies([{ name, value, url: web.origin }])
    return page
  }
  return { web, desk, open }
}

test('without script, on a phone: an editor writes a story, looks at it, puts it out and corrects it', async () => {
  const { web, open } = await aDesk()
  await anArticle(web.context.database, { externalId: 'ar', language: 'ar', title: 'عودة العبارة' })
  const page = await open({ ...phone, javaScriptEnabled: false })
  await page.goto(`${web.origin}/desk/articles`)
  await page.getByRole('button', { name: 'Écrire un article' }).click()
  await page.locator('[name=title]').fill('Le bac reprend')
  await page.getByLabel('Texte').fill('Le **bac** reprend.')
  await page.getByLabel('Traduction de').fill('/articles/عودة-العبارة')
  const opened = page.context().waitForEvent('page')
  await page.getByRole('button', { name: 'Aperçu' }).click()
  const preview = await opened
  await preview.waitForLoadState()
  expect(await preview.locator('.text strong').innerText()).toBe('bac')
  await preview.close()
  await page.getByLabel('Maintenant').check()
  await page.getByRole('button', { name: 'Enregistrer' }).click()
  expect(await page.getByRole('status').innerText()).toBe('C’est enregistré.')
  await page.getByLabel('Note de correction').fill('Il reprend lundi.')
  await page.getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByRole('link', { name: 'Voir la page' }).click()
  expect(await page.locator('article').innerText()).toContain('Correction\u00a0: Il reprend lundi.')
  await page.getByRole('link', { name: 'العربية' }).last().click()
  expect(await page.locator('h1').innerText()).toBe('عودة العبارة')
})

test.for(['fr', 'ar', 'en'])(
  'in %s a form at fault and a second text below one’s own: no axe violation, nothing too wide',
  async (language) => {
    const { web, desk, open } = await aDesk()
    await desk.post('/settings/language', { language })
    const article = await anArticle(web.context.database, { externalId: 'a', language: 'fr' })
    const page = await open({ ...phone, colorScheme: lightOf(language) })
    const look = async (what: string) => {
      expect(await fits(page), what).toBe(true)
      expect(await listViolations(page), what).toEqual([])
    }
    await page.goto(`${web.origin}/desk/articles/new`)
    await page.locator('[name=title]').fill('Le bac reprend')
    await page.locator('[name=url]').fill('https://img.example/bac.jpg')
    await page.locator('form.writing button:not([name])').click()
    expect(await page.locator(':focus').getAttribute('name')).toBe('alt')
    await look('at fault')

    await page.goto(`${web.origin}/desk/articles/a`)
    await web.context.services.articles.put('a', {
      title: article.title,
      html: '<p>Autre</p>',
      language: 'fr',
    })
    await page.locator('[name=title]').fill('Le phare, corrigé')
    await page.locator('form.writing button:not([name])').click()
    expect(await page.locator('textarea[readonly]').last().inputValue()).toBe('<p>Autre</p>')
    expect(await page.locator('[name=title]').inputValue()).toBe('Le phare, corrigé')
    await look('conflict')
  },
)

test('where scripts run, the page below the form follows what is written, and Back leaves the desk’s page', async () => {
  const { web, open } = await aDesk()
  const page = await open({})
  await page.goto(`${web.origin}/desk/articles`)
  await page.goto(`${web.origin}/desk/articles/new`)
  const preview = page.frameLocator('[data-page] iframe')
  await page.locator('[name=title]').fill('Le bac')
  await preview.locator('h1', { hasText: 'Le bac' }).waitFor()
  await page.getByLabel('Texte').fill('Le **bac** <script>top.location = "/"</script>')
  await preview.locator('.text strong').waitFor()
  await page.goBack()
  expect(page.url()).toBe(`${web.origin}/desk/articles`)
  expect(page.faults).toEqual([])
})
