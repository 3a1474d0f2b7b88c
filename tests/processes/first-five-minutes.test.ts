import { expect, test } from 'vitest'
import { aPage, desktop } from '../support/browser.ts'
import { aDataDir, aRunningInstallation, eventually } from '../support/installation.ts'

const reader = 'lectrice@reader.example'

test('the first five minutes: read, subscribe, activate, send, and find the digest on top of the Mailbox', async () => {
  const started = await aRunningInstallation(aDataDir())
  const page = await aPage(desktop)

  await page.goto(started.urlOf('Read'))
  await page.getByRole('textbox', { name: 'Votre adresse e-mail' }).fill(reader)
  await page.getByRole('button', { name: 'S’abonner' }).click()

  await page.locator(`main a[href="${started.urlOf('Mailbox')}"]`).click()
  await eventually(async () => {
    await page.goto(started.urlOf('Mailbox'))
    return (await page.getByText(reader).count()) > 0
  }, 'the activation mail is in the Mailbox')
  await page.locator('main a').first().click()
  const opened = page.context().waitForEvent('page')
  await page.frameLocator('iframe').getByRole('link', { name: 'Confirmer mon abonnement' }).click()
  const activated = await opened
  await activated.getByRole('heading', { level: 1 }).waitFor()
  // The browser that signed up: one click was enough, no button is left.
  expect(await activated.getByRole('button', { name: 'Confirmer mon abonnement' }).count()).toBe(0)
  await activated.close()

  await page.goto(started.urlOf('Desk'))
  await page.getByRole('button', { name: 'Entrer' }).click()
  await page.getByRole('button', { name: 'Relire et envoyer' }).first().click()
  const audience = Number(/(\d+) personnes/.exec(await page.locator('main').innerText())?.[1])
  expect(audience).toBeGreaterThan(5)
  await page.getByRole('button', { name: 'Envoyer…' }).click()
  await page
    .getByRole('button', { name: /^Envoyer/ })
    .last()
    .click()
  await page.getByText('envoyé', { exact: true }).waitFor({ timeout: 120_000 })

  await page.goto(started.urlOf('Mailbox'))
  await page.goto(`${started.urlOf('Mailbox')}?to=${encodeURIComponent(reader)}`)
  expect(await page.locator('main a').count()).toBe(2)
  await page.locator('main a').first().click()
  const digest = page.frameLocator('iframe')
  await digest.getByText('Après onze mois à quai').first().waitFor()
  expect(await digest.getByText('Me désabonner').count()).toBeGreaterThan(0)

  const rss = await page.request.get(new URL('/rss.xml', started.urlOf('Read')).href)
  expect(rss.headers()['content-type']).toBe('application/rss+xml; charset=utf-8')
  expect(await rss.text()).toContain('Après onze mois à quai')
  expect(page.faults).toEqual([])
})
