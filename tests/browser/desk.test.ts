import { expect, test } from 'vitest'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { aPage, fits, lightOf, listViolations, phone } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aWeb } from '../support/web.ts'

const admin = { kind: 'cli', role: 'admin' } as const
const mailboxUrl = 'http://localhost:8025/'

async function aDesk() {
  const web = await aWeb({ env: { MAILBOX_URL: mailboxUrl } })
  await seedSampleNewsroom(web.context)
  const words = { subject: 'Un mot', intro: 'La rédaction **déménage**.' }
  const picks = { names: { fr: 'À la une' }, articles: ['rivage-101', 'rivage-102'] }
  await web.context.services.picks.put('en-une', picks, admin)
  const letter = await web.context.services.digests.compose('le-matin', { kind: 'letter', ...words }, admin)
  const desk = await signedIn(web, 'admin')
  const open = async (options: Parameters<typeof aPage>[0]) => {
    const page = await aPage(options)
    const [name = '', value = ''] = desk.cookie.split('=')
    await page.context().addCookies([{ name, value, url: web.origin }])
    return page
  }
  return { web, desk, open, letter: `/desk/digests/${letter.id}` }
}

const places = [
  '/desk',
  '/desk/digests',
  '/desk/digests/1',
  '/desk/newsletters',
  '/desk/newsletters/le-matin',
  '/desk/newsletters/new',
  '/desk/articles',
  '/desk/articles/new',
  '/desk/articles/rivage-101',
  '/desk/feeds',
  '/desk/sections',
  '/desk/sections/section/culture',
  '/desk/picks',
  '/desk/picks/en-une',
  '/desk/responses',
  '/desk/sources',
  '/desk/subscribers',
  '/desk/subscribers/1',
  '/desk/deliverability',
  '/desk/doctor',
  '/desk/settings',
  '/desk/look',
  '/desk/audit',
]

test.for(['fr', 'ar', 'en'])(
  'every page of the desk in %s on a phone: no axe violation, nothing wider than it, the zone named',
  async (language) => {
    const { web, desk, open, letter } = await aDesk()
    await desk.post('/settings/language', { language })
    const page = await open({
      ...phone,
      viewport: { width: 360, height: 780 },
      colorScheme: lightOf(language),
    })
    for (const path of [letter, ...places]) {
      await page.goto(web.origin + path)
      const { titles, footer } = await page.evaluate<{ titles: number; footer: string }>(
        '({ titles: document.querySelectorAll("h1").length, footer: document.querySelector("body > footer").innerText })',
      )
      expect(titles, path).toBe(1)
      expect(footer, path).toMatch(/Algérie|الجزائر|Algeria/)
      expect(await fits(page), path).toBe(true)
      expect(await listViolations(page), path).toEqual([])
    }
    expect(page.faults).toEqual([])
  },
)

test.for(['fr', 'ar', 'en'])(
  'in %s the places of the desk stand in one line, on a phone in two',
  async (language) => {
    const { web, desk, open } = await aDesk()
    await desk.post('/settings/language', { language })
    await web.context.services.publication.set({ name: 'Le Courrier de la Côte et du Port' }, admin)
    const page = await open({})
    for (const [width, lines] of [
      [1280, 1],
      [1024, 1],
      [360, 2],
    ] as const) {
      await page.setViewportSize({ width, height: 600 })
      await page.goto(`${web.origin}/desk`)
      const tops = await page
        .locator('.desk-header nav a')
        .evaluateAll((links) => links.map((link) => (link as unknown as { offsetTop: number }).offsetTop))
      expect(tops).toHaveLength(8)
      expect(new Set(tops).size, `${width} px`).toBe(lines)
      expect(await fits(page), `${width} px`).toBe(true)
    }
  },
)

test('an editor changes the language on any page, without script, and stays there; the Mailbox is one click away', async () => {
  const { web, open } = await aDesk()
  const page = await open({ ...phone, javaScriptEnabled: false })
  await page.goto(`${web.origin}/desk/articles?state=published`)
  expect(await page.locator(`header a[href="${mailboxUrl}"]`).innerText()).toBe('Boîte aux lettres')
  await page.getByRole('button', { name: 'العربية' }).click()
  expect(page.url()).toBe(`${web.origin}/desk/articles?state=published`)
  expect(await page.locator('html').getAttribute('dir')).toBe('rtl')
  await page.getByRole('button', { name: 'Français' }).click()
  expect(await page.locator('html').getAttribute('dir')).toBe('ltr')
})

test('lists name newsletters as people know them, never by slug', async () => {
  const { web, open } = await aDesk()
  const page = await open(phone)
  for (const path of ['/desk/digests', '/desk/subscribers', '/desk/subscribers/1']) {
    await page.goto(web.origin + path)
    const text = await page.locator('main').innerText()
    expect(text, path).toMatch(/Le Matin du Rivage|صباح المرسى|L’Hebdo du Rivage/)
    expect(text, path).not.toMatch(/le-matin|as-sabah|hebdo\b/)
  }
})

test('the feeds are found by language, format and a part of their address, without script', async () => {
  const { web, open } = await aDesk()
  const wished = '/ar/sections/culture/atom.xml'
  // A feed is written for its first reader.
  for (const path of [wished, '/sections/culture/atom.xml', '/ar/sections/culture/rss.xml', '/ar/atom.xml'])
    expect((await web.fetch(path)).status).toBe(200)
  const page = await open({ ...phone, javaScriptEnabled: false })
  await page.goto(`${web.origin}/desk/feeds`)
  const paths = () => page.locator('tbody bdi').allTextContents()
  expect((await paths()).length).toBeGreaterThan(3)
  await page.getByRole('searchbox').fill('CULTURE')
  await page.getByRole('combobox', { name: 'Langue' }).selectOption('ar')
  await page.getByRole('combobox', { name: 'Format' }).selectOption('atom.xml')
  await page.getByRole('button', { name: 'Chercher' }).click()
  expect(await paths()).toEqual([wished])
})

test('a form with faults in Arabic on a phone: it fits, no axe violation, the focus on what is said', async () => {
  const { web, desk, open } = await aDesk()
  await desk.post('/settings/language', { language: 'ar' })
  const page = await open({ ...phone, viewport: { width: 360, height: 780 } })
  for (const [form, field, text] of [
    ['publication', 'contactEmail', 'ليس عنوانا'],
    ['editors', 'email', 'ليس عنوانا'],
  ] as const) {
    await page.goto(`${web.origin}/desk/settings`)
    const sent = page.locator(`form[action="/desk/settings/${form}"]`)
    await sent.locator(`[name="${field}"]`).fill(text)
    // What the browser would hold back, a script or an old browser sends.
    await page.evaluate(`document.querySelector('form[action$="/${form}"]').noValidate = true`)
    await sent.locator('button').last().click()
    await page.waitForURL(`**/settings/${form}`)
    expect(await page.locator('*:focus').getAttribute('role')).toBe('alert')
    await page.locator('*:focus').getByRole('link').click()
    expect(await page.locator('*:focus').getAttribute('name')).toBe(field)
    expect(await page.locator('*:focus').inputValue()).toBe(text)
    expect(await sent.locator('.fault').innerText()).toContain('عنوان واحد')
    expect(await fits(page)).toBe(true)
    expect(await listViolations(page)).toEqual([])
  }
  // Signed out meanwhile: what was typed stands on the page that says so.
  await page.goto(`${web.origin}/desk/settings`)
  await page.context().clearCookies()
  await page.locator('[name=description]').fill('كل أخبار الساحل، من الميناء إلى التلال، كل صباح.')
  await page.locator('form[action$="/publication"] button').last().click()
  await page.waitForURL('**/settings/publication')
  expect(await page.locator('textarea').inputValue()).toContain('كل أخبار الساحل')
  expect(await fits(page)).toBe(true)
  expect(await listViolations(page)).toEqual([])
})
