import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { aPage, desktop, phone, type BrowserPage } from '../support/browser.ts'
import { aDataDir, aRunningInstallation } from '../support/installation.ts'

const images = join(import.meta.dirname, '../../docs/images')

/** One editor with two screens: in French on a desktop, in Arabic on a phone. */
async function twoScreens(desk: string) {
  const page = await aPage({ ...desktop, colorScheme: 'light' })
  await page.goto(desk)
  await page.getByRole('button', { name: 'Entrer' }).click()
  await page.waitForURL('**/desk')
  const small = await aPage({ ...phone, locale: 'ar', colorScheme: 'light' })
  await small.context().addCookies(await page.context().cookies())
  const speak = async (language: string) => {
    await page.goto(desk.replace(/\/desk.*/, '/desk'))
    await page.locator(`button[name=language][value=${language}]`).click()
    await page.waitForLoadState()
  }
  return {
    page,
    small,
    onDesktop: (name: string, from?: string) => shoot(page, `hour-${name}-fr`, from),
    /** The same place again, for what is typed does not go along. */
    onPhone: async (name: string, url = page.url(), from?: string) => {
      await speak('ar')
      await small.goto(url)
      await shoot(small, `hour-${name}-ar`, from)
      await speak('fr')
    },
  }
}

async function shoot(page: BrowserPage, name: string, from = 'h1'): Promise<void> {
  await page.evaluate(from === 'h1' ? 'scrollTo(0, 0)' : `document.querySelector('${from}').scrollIntoView()`)
  await sharp(await page.screenshot())
    .png({ palette: true })
    .toFile(join(images, `${name}.png`))
}

const story = `La Compagnie des îles remet **deux traversées** en service dès lundi :

- 22 heures, du quai des Filets ;
- minuit, de l’île aux Figuiers.

« Les équipes de l’hôpital l’attendaient depuis l’été », dit le capitaine Selim Aroui.`

const letter = `Chers lecteurs,

La rédaction **déménage** lundi au 4, quai des Filets. La porte est ouverte l’après-midi : venez nous voir.`

test('a newsroom of one’s own, from nothing to the first report', async () => {
  const started = await aRunningInstallation(aDataDir(), {}, ['--empty'])
  const { page, small, onDesktop, onPhone } = await twoScreens(started.urlOf('Desk'))
  const at = (path: string) => page.goto(new URL(path, started.urlOf('Read')).href)
  const press = async (name: string | RegExp, within = 'main') => {
    await page.locator(within).getByRole('button', { name }).last().click()
    await page.waitForLoadState()
  }

  await onDesktop('empty')
  await onPhone('empty')

  await at('/desk/settings')
  await page.fill('[name=name]', 'La Vigie')
  await page.fill('[name=description]', 'Le journal de Port-Clair et de ses îles.')
  await page.fill('[name=postalAddress]', 'La Vigie, 4 quai des Filets, Port-Clair')
  await page.fill('[name=languages]', 'fr, ar')
  await page.fill('[name=contactEmail]', 'redaction@vigie.example')
  await press('Enregistrer', '#publication')

  await at('/desk/look')
  await page.fill('[name=accent]', '#0b5563')
  await page.fill('[name="name.ar"]', 'المرصد')
  await page.fill('[name="description.ar"]', 'جريدة بور كلير وجزرها.')
  await press('Enregistrer')
  await onDesktop('look', '.look-previews')
  await onPhone('look', page.url(), '.look-previews')

  await at('/desk/articles/new')
  await page.fill('[name=title]', 'Le bac de nuit reprend lundi')
  await page.fill(
    '[name=deck]',
    'Deux traversées de plus, à 22 heures et à minuit, jusqu’à la fin de l’hiver.',
  )
  await page.fill('[name=markdown]', story)
  await onDesktop('story')
  await press('Publier')
  await onPhone('story')

  await at('/desk/newsletters/new')
  await page.fill('[name=name]', 'La Vigie du matin')
  await page.fill('[name=slug]', 'le-matin')
  await page.check('[name=cadences][value=daily]')
  await onDesktop('newsletter')
  await press('Enregistrer')
  await onPhone('newsletter', new URL('/desk/newsletters/le-matin', page.url()).href)

  await at('/fr')
  await onDesktop('form')
  await small.goto(new URL('/ar/subscribe', page.url()).href)
  await shoot(small, 'hour-form-ar')
  for (const name of ['nour', 'amel', 'karim']) {
    await at('/desk/subscribers')
    await page.locator('summary', { hasText: 'Ajouter une personne' }).click()
    await page.fill('[name=email]', `${name}@lecteurs.example`)
    await page.fill('[name=basis]', 'Bulletin papier, rentrée 2026')
    await press('Ajouter')
  }

  await at('/desk/settings')
  await page.fill('#editors [name=email]', 'samira@vigie.example')
  await press('Inviter', '#editors')
  await onDesktop('colleague', '#editors')
  await onPhone('colleague', page.url(), '#editors')

  await at('/desk/digests')
  await page.locator('details.compose summary').click()
  await press('Écrire aux abonnés')
  const digest = page.url()
  await page.fill('[name=subject]', 'Nous déménageons lundi')
  await page.fill('[name=intro]', letter)
  await onDesktop('letter')
  await press('Enregistrer')
  await onPhone('letter', digest)
  await page.goto(digest)
  await page.locator('summary', { hasText: 'Envoyer…' }).click()
  await press('Envoyer maintenant')
  await page.getByText('envoyé', { exact: true }).waitFor({ timeout: 60_000 })

  await at('/desk/newsletters/le-matin/report')
  await onDesktop('report')
  await onPhone('report')
  expect([...page.faults, ...small.faults]).toEqual([])
})
