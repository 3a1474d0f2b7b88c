import { expect, test } from 'vitest'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { anArticle } from '../support/articles.ts'
import { aPage, desktop, fits } from '../support/browser.ts'
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

test('on a phone the news comes first; an article has one left edge; nothing is wider than the phone', async () => {
  const web = await aWeb()
  const { services } = web.context
  await seedSampleNewsroom(web.context)
  await services.publication.set({ languages: ['fr', 'ar', 'en'] }, { kind: 'cli', role: 'admin' })
  const wide = await aPage(desktop)
  await wide.goto(`${web.origin}/fr`)
  await wide.click('.card.first h2 a')
  await wide.waitForSelector('.story')
  const edges =
    await wide.evaluate(`['.story h1', '.story .deck', '.story .picture img', '.story .text p', '.tools', '.newsletter-box']
    .map((selector) => Math.round(document.querySelector(selector).getBoundingClientRect().left))`)
  expect(new Set(edges as number[]).size).toBe(1)
  const cells = '<td>Une cellule bien longue</td>'.repeat(12)
  const { article } = await services.articles.put('wide', {
    title: 'Anticonstitutionnellement'.repeat(4),
    html: `<p>${'mot '.repeat(6_000)}</p><p>قال «Le Rivage»: ${'عودة '.repeat(30)}</p><table><tr>${cells}</tr></table>${'<img src="/x.jpg" width="2000" height="900" alt="">'.repeat(40)}`,
    language: 'fr',
  })
  for (const locale of ['fr-FR', 'ar-DZ']) {
    const page = await aPage({ viewport: { width: 360, height: 740 }, isMobile: true, locale })
    const top = (selector: string) =>
      page.evaluate<number>(`document.querySelector('${selector}').getBoundingClientRect().top`)
    await page.goto(`${web.origin}/${locale.slice(0, 2)}`)
    expect(await top('.card.first h2')).toBeLessThan(400)
    expect(await top('.newsletter-box')).toBeGreaterThan(await top('.news'))
    expect(await fits(page)).toBe(true)
    await page.goto(`${web.origin}/articles/${article.slug}`)
    expect(await fits(page)).toBe(true)
  }
})

test('how long ago: told while it is a day’s news, the whole date beside it, the date alone without JavaScript', async () => {
  const web = await aWeb()
  const at = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  await anArticle(web.context.database, { title: 'Neuf', publishedAt: at(2.5).toISOString() })
  await anArticle(web.context.database, {
    title: 'Vieux',
    publishedAt: at(50).toISOString(),
    firstPublicAt: at(50),
  })
  const timesOn = async (javaScriptEnabled: boolean) => {
    const page = await aPage({ ...desktop, javaScriptEnabled })
    await page.goto(`${web.origin}/fr`)
    return page.evaluate<string[]>(
      `[...document.querySelectorAll('.card time')].map((time) => time.textContent)`,
    )
  }
  const [, dated] = await timesOn(false)
  const [fresh, old] = await timesOn(true)
  expect(fresh).toBe('il y a 2\u00a0h')
  expect(old).toBe(dated)
})

test('a picture that is not there leaves no frame behind', async () => {
  const web = await aWeb()
  for (const name of ['une', 'deux'])
    await anArticle(web.context.database, { picture: { url: `${web.origin}/${name}.jpg`, alt: '' } })
  const page = await aPage(desktop)
  await page.goto(`${web.origin}/fr`)
  await expect.poll(() => page.locator('.frame').count()).toBe(0)
  expect(await page.locator('.card').count()).toBe(2)
})

test('an Arabic page reads from the right, its arrows too', async () => {
  const web = await aWeb()
  await seedSampleNewsroom(web.context)
  const page = await aPage({ ...desktop, locale: 'ar-DZ' })
  await page.goto(`${web.origin}/ar`)
  const side = await page.evaluate(`({
    asideIsLeft:
      document.querySelector('.front aside').getBoundingClientRect().left <
      document.querySelector('.card.first').getBoundingClientRect().left,
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
  await page.waitForURL(/#main$/)
})
