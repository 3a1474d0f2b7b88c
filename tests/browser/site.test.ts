import { expect, test } from 'vitest'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { aPage, desktop } from '../support/browser.ts'
import { aWeb } from '../support/web.ts'

test('a page view is counted once when the article is shown; the print button prints', async () => {
  const web = await aWeb()
  const { article } = await web.context.services.articles.put('one', {
    title: 'Le phare se rallume',
    html: '<p>Hier soir.</p>',
    language: 'fr',
  })
  const page = await aPage({
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  })
  const counted = page.waitForResponse((response) => response.url().endsWith('/views'))
  await page.goto(`${web.origin}/articles/${article.slug}`)
  expect((await counted).status()).toBe(204)
  expect((await web.context.services.articles.get('one')).viewsTotal).toBe(1)

  await page.evaluate('window.print = () => { document.title = "printed" }')
  await page.getByRole('button', { name: 'Imprimer' }).click()
  expect(await page.title()).toBe('printed')
  expect(page.faults).toEqual([])
})

test('the list of feeds: one disclosure a feed, with and without JavaScript', async () => {
  const web = await aWeb()
  await seedSampleNewsroom(web.context)
  for (const javaScriptEnabled of [true, false]) {
    const page = await aPage({ ...desktop, javaScriptEnabled })
    await page.goto(`${web.origin}/fr/feeds`)
    const feed = page.locator('.feed').first()
    expect(await feed.getByRole('button', { name: 'Copier' }).isVisible()).toBe(javaScriptEnabled)
    expect(await page.getByRole('link', { name: 'Feedly' }).count()).toBe(0)
    await feed.locator('summary').click()
    expect(await page.getByRole('link', { name: 'Feedly' }).count()).toBe(1)
    expect(await feed.getByRole('link', { name: 'Atom' }).isVisible()).toBe(true)
  }
})

test('an Arabic page reads from the right, its arrows too', async () => {
  const web = await aWeb()
  await seedSampleNewsroom(web.context)
  const page = await aPage({ ...desktop, locale: 'ar-DZ' })
  await page.goto(`${web.origin}/ar`)
  const side = await page.evaluate(`({
    asideIsLeft:
      document.querySelector('.front aside').getBoundingClientRect().left <
      document.querySelector('.news').getBoundingClientRect().left,
    arrow: getComputedStyle(document.querySelector('.onward'), '::after').content,
  })`)
  expect(side).toEqual({ asideIsLeft: true, arrow: '" ←"' })
})

test('the whole site is reached by keyboard: the first stop leads to the content', async () => {
  const web = await aWeb()
  const page = await aPage(desktop)
  await page.goto(`${web.origin}/fr`)
  await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe('#main')
  await page.keyboard.press('Enter')
  expect(page.url()).toMatch(/#main$/)
})
