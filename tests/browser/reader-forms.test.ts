import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { aPage, desktop, listViolations, phone } from '../support/browser.ts'
import { activationPath } from '../support/readers.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

async function aNewsroom(): Promise<Web> {
  const web = await aWeb()
  await seedSampleNewsroom(web.context)
  return web
}

/** Links that leave the page's language to the browser. */
const strays = [
  'a[href^="/subscribe"]',
  'a[href^="/preferences"]',
  'a[href^="/feeds"]',
  'form[action^="/subscribe"]',
].join()

/** A page of another site: `localhost` and `127.0.0.1` are two sites to a browser. */
async function aForeignPage(html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><html lang="fr"><title>Le blog du port</title>${html}`)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** The forms of the guide for a WordPress newsroom: the sample newsroom's, by language. */
const formsOfGuide = new Map(
  [...readFileSync('docs/wordpress.md', 'utf8').matchAll(/```html\n(.+?)\n```/gs)].map(([, form = '']) => [
    /<form [^>]*lang="(\w+)"/.exec(form)?.[1],
    form,
  ]),
)

test.each([
  ['fr', 'Consultez votre messagerie', 'le-matin', 'ltr'],
  ['ar', 'تفقّدوا بريدكم', 'as-sabah', 'rtl'],
])(
  'the form to copy, as the guide for WordPress has it, signs up from a page of another site, without JavaScript, in %s',
  async (language, title, slug, direction) => {
    const web = await aNewsroom()
    // The visitor's browser prefers another language than the form was made in.
    const page = await aPage({
      ...phone,
      javaScriptEnabled: false,
      locale: language === 'fr' ? 'ar-DZ' : 'fr-FR',
    })
    await page.goto(`${web.origin}/${language}/subscribe?embed=html`)
    const snippet = await page.inputValue('#snippet')
    expect(formsOfGuide.get(language)).toBe(snippet.replace(web.origin, 'https://depeche.example.org'))
    // Many sites allow no style in an attribute; whoever fills the trap in is never mailed.
    await page.goto(
      await aForeignPage(`<meta http-equiv="Content-Security-Policy" content="style-src 'none'">${snippet}`),
    )
    expect(await page.isVisible('[name=website]')).toBe(false)
    expect(await page.evaluate("getComputedStyle(document.querySelector('form')).direction")).toBe(direction)
    await page.fill('[name=email]', 'amina@reader.example')
    await page.click('button')

    expect(page.url()).toBe(`${web.origin}/${language}/subscribe`)
    expect(await page.textContent('h1')).toBe(title)
    await web.context.services.signupDecisions.decideAll()
    // The answer was the first page of ours that this browser saw; its cookie makes the link one click all the same.
    await page.goto(web.origin + (await activationPath(web, 'amina@reader.example')))
    const subscriber = await web.context.database.stores.subscribers.findByAddress('amina@reader.example')
    expect(subscriber?.language).toBe(language)
    const subscriptions = await web.context.database.stores.subscriptions.list(subscriber?.id ?? 0)
    const { id } = await web.context.database.stores.newsletters.getBySlug(slug)
    expect(subscriptions).toMatchObject([{ newsletterId: id, state: 'active' }])
  },
)

test('an Arabic signup page keeps a French newsletter’s words together, and its own language', async () => {
  const web = await aNewsroom()
  const page = await aPage({ ...phone, viewport: { width: 360, height: 740 } })
  await page.goto(`${web.origin}/ar/subscribe?newsletters=le-matin`)
  expect(await page.isChecked('[value=le-matin]')).toBe(true)
  expect(await page.isChecked('[value=as-sabah]')).toBe(false)

  const label = page.locator('label', { has: page.locator('[value=le-matin]') })
  const [language, description] = await Promise.all([
    label.locator('span small').boundingBox(),
    label.locator(':scope > small').boundingBox(),
  ])
  expect(description?.y).toBeGreaterThanOrEqual((language?.y ?? 0) + (language?.height ?? 0) - 1)
  for (const path of ['/ar', '/ar/newsletters/as-sabah', '/ar/subscribe']) {
    await page.goto(web.origin + path)
    expect(await page.locator(strays).count(), path).toBe(0)
  }
})

test.each([true, false])(
  'erasure asks once more, JavaScript %s; leaving stays one click',
  async (javaScriptEnabled) => {
    const web = await aNewsroom()
    const { services, database } = web.context
    const newsletter = await database.stores.newsletters.getBySlug('le-matin')
    const { id } = await aSubscriber(database, { newsletter })
    const page = await aPage({ ...desktop, javaScriptEnabled })
    await page.goto(services.subscriptionLinks.freshPreferencesUrl(id))
    expect(await page.isVisible('[value=erase]')).toBe(false)
    await page.click('details.grave summary')
    await page.click('[value=erase]')
    expect(await page.textContent('h1')).toBe('Vos données sont effacées')
    expect((await database.stores.subscribers.find(id))?.address).toBeNull()

    const other = await aSubscriber(database, { newsletter })
    await page.goto(
      services.subscriptionLinks.unsubscribeUrl({
        subscriberId: other.id,
        newsletterId: newsletter.id,
        digestId: 1,
      }),
    )
    await page.click('[value=unsubscribe]')
    const [subscription] = await database.stores.subscriptions.list(other.id)
    expect(subscription?.endedReason).toBe('unsubscribed')
  },
)

test('a signup at fault is told in the title, in a summary that has the focus and leads to the field, and at the field', async () => {
  const web = await aNewsroom()
  const page = await aPage(desktop)
  await page.goto(`${web.origin}/fr/subscribe`)
  await page.locator('form[action$="/subscribe"]').evaluate((form) => {
    ;(form as unknown as { noValidate: boolean }).noValidate = true
  })
  await page.fill('#email', 'pas une adresse')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  expect(await page.title()).toMatch(/^Erreur\s:/)
  expect(await page.evaluate<string>('document.activeElement.getAttribute("role")')).toBe('alert')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const field = page.locator('#email:target')
  expect(await field.getAttribute('aria-describedby')).toBe('email-fault')
  expect(await field.inputValue()).toBe('pas une adresse')
  expect(await page.locator('#email-fault').innerText()).toContain('adresse e-mail valide')
  expect(await listViolations(page)).toEqual([])
})
