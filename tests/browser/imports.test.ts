import { expect, test } from 'vitest'
import {
  aPage,
  fitsEverywhere,
  lightOf,
  listViolations,
  phone,
  type BrowserPage,
} from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aWeb, type Web } from '../support/web.ts'

const shots = process.env['SCREENSHOTS']

const csv = `Adresse e-mail;Prénom;Liste;Statut;consent_date
amina@reader.example;Amina;Lettre;Abonnée;03/04/2024
omar@reader.example;Omar;Lettre;Désabonné;
lina@reader.example;Lina;Lettre;Rebond;
pas une adresse;X;Lettre;Abonnée;
sami@reader.example;Sami;Lettre;VIP;
`

async function open(web: Web, language: string, options: object): Promise<BrowserPage> {
  const { cookie, editorId } = await signedIn(web, 'admin')
  await web.context.services.editors.changeLanguage(editorId, language)
  const page = await aPage(options)
  const [name = '', value = ''] = cookie.split('=')
  await page.context().addCookies([{ name, value, url: web.origin }])
  return page
}

async function look(page: BrowserPage, name: string) {
  expect([name, await fitsEverywhere(page), await listViolations(page), page.faults]).toEqual([
    name,
    true,
    [],
    [],
  ])
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
}

test.each(['fr', 'ar', 'en'])(
  'the desk imports subscribers, tries first and says what became of each row: %s',
  async (language) => {
    const web = await aWeb()
    await aNewsletter(web.context.database, { slug: 'le-matin', name: 'Le Matin' })
    const page = await open(web, language, { ...phone, colorScheme: lightOf(language) })
    await page.goto(`${web.origin}/desk/imports`)
    await look(page, `${language}-form`)
    await page.fill('input[name=basis]', 'ancien WordPress, formulaire de 2019')
    await page.setInputFiles('input[type=file]', {
      name: 'abonnés.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(csv),
    })
    await page.click('form[action="/desk/imports"] button')
    await page.waitForURL(/\/desk\/imports\/\d+$/)
    await look(page, `${language}-waiting`)
    const id = Number(page.url().split('/').at(-1))
    await web.context.services.imports.work(id)
    // By itself: the page that waits comes again.
    await page.waitForSelector('[data-reload]', { state: 'detached' })
    await look(page, `${language}-done`)
    const { report } = await web.context.services.imports.get(id)
    expect(report).toMatchObject({
      rows: 5,
      active: 1,
      ended: 1,
      suppressed: 1,
      invalid: 2,
      guessedDates: 1,
    })
    expect(await page.textContent('main')).toContain('VIP')
  },
)
