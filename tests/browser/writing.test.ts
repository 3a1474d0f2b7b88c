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
  await page.getByRole('button', { name: 'Aperçu', exact: true }).click()
  const preview = await opened
  await preview.waitForLoadState()
  expect(await preview.locator('.text strong').innerText()).toBe('bac')
  await preview.close()
  await page.getByRole('button', { name: 'Publier' }).click()
  expect(await page.getByRole('status').innerText()).toBe('Publié. Voir la page')
  expect(await page.locator(':focus').getAttribute('role')).toBe('status')
  await page.getByLabel('Note de correction').fill('Il reprend lundi.')
  await page.getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByRole('link', { name: 'Voir la page' }).first().click()
  expect(await page.locator('article').innerText()).toMatch(
    /Correction du \d.* 20\d\d\u00a0: Il reprend lundi\./,
  )
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
    // The buttons are at hand, however long the form is.
    expect((await page.locator('.save').boundingBox())?.y).toBeLessThan(phone.viewport.height)
    await page.locator('[name=url]').fill('https://img.example/bac.jpg')
    await page.locator('form.writing .save button >> nth=0').click()
    // The summary has the focus, and leads to the field.
    await page.locator(':focus a').click()
    expect(await page.locator(':focus').getAttribute('name')).toBe('alt')
    await look('at fault')

    await page.goto(`${web.origin}/desk/articles/a`)
    await web.context.services.articles.put('a', {
      title: article.title,
      html: '<p>Autre</p>',
      language: 'fr',
    })
    await page.locator('[name=title]').fill('Le phare, corrigé')
    await page.locator('form.writing .save button >> nth=0').click()
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

test('where scripts run, words are marked by button and key, pasted pages become Markdown, and undo takes each back', async () => {
  const { web, open } = await aDesk()
  const page = await open({})
  await page.goto(`${web.origin}/desk/articles/new`)
  const field = page.getByLabel('Texte')
  await field.fill('Le bac\nreprend')
  await field.press('Control+a')
  await page.getByRole('button', { name: 'Liste' }).click()
  expect(await field.inputValue()).toBe('- Le bac\n- reprend')
  await field.press('Control+z')
  expect(await field.inputValue()).toBe('Le bac\nreprend')
  await field.press('Control+a')
  await field.press('Control+b')
  await page.getByRole('button', { name: 'Gras' }).click()
  await page.getByRole('button', { name: 'Gras' }).click()
  expect(await field.inputValue()).toBe('**Le bac\nreprend**')
  await field.press('Control+a')
  const html = `<meta charset="utf-8"><style>p{}</style><script>top.hit = 1</script><img src=x onerror="top.hit = 1">
    <h1>Le  port</h1><b style="font-weight:normal"><p>Un <span style="font-weight:700">grand </span>jour,
    <a href="https://port.example/a_(b)">lire</a> <a href="javascript:top.hit=1">non</a> 5*3</p></b>
    <ul><li>un<ul><li>deux</li></ul></li><li><p>trois</p></li></ul><blockquote><p>Il dit</p><p>oui</p></blockquote>
    <p>- tiret</p><table><tr><td>a</td><td>b</td></tr></table>`
  await page.evaluate(`const clipboardData = new DataTransfer()
    clipboardData.setData('text/html', ${JSON.stringify(html)})
    const pasted = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
    document.activeElement.dispatchEvent(pasted)`)
  expect(await field.inputValue()).toBe(
    [
      '## Le port',
      'Un **grand** jour, [lire](https://port.example/a_%28b%29) non 5\\*3',
      '- un\n  - deux\n- trois',
      '> Il dit\n> \n> oui',
      '\\- tiret',
      'a b',
    ].join('\n\n'),
  )
  await field.press('Control+z')
  expect(await field.inputValue()).toBe('**Le bac\nreprend**')
  expect(await page.evaluate('window.hit')).toBe(undefined)
  const asked = page.waitForEvent('dialog')
  void page.getByRole('button', { name: 'English' }).click()
  const dialog = await asked
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
  expect(await field.inputValue()).toBe('**Le bac\nreprend**')
  // What was pasted is held to the page's own policy.
  for (const fault of page.faults) expect(fault).toContain('has been blocked')
})
