import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aPage, desktop, phone, type BrowserPage } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/sending-digest.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const headlines = [
  'Le phare de Port-Clair se rallume après deux ans de travaux',
  'La fanfare municipale cherche des trompettes',
  'Un marché de nuit sur les quais, chaque vendredi',
]
const cli = { kind: 'cli', role: 'admin' } as const
const shots = process.env['SCREENSHOTS']

async function aDesk() {
  const web = await aWeb()
  const { database, config } = web.context
  const newsletter = await aNewsletter(database, { name: 'Le Matin' })
  for (const [n, title] of headlines.entries()) {
    await anArticle(database, { externalId: `a${n}`, title, sections: [n === 1 ? 'culture' : 'a-la-une'] })
  }
  for (let n = 0; n < 12; n += 1) {
    await aSubscriber(database, { newsletter, ...(n > 8 && { sections: ['culture'] }) })
  }
  await web.context.services.presence.beat()
  const desk = await signedIn(web, 'editor')
  const open = async (options: Parameters<typeof aPage>[0]): Promise<BrowserPage> => {
    const page = await aPage(options)
    const [name = '', value = ''] = desk.cookie.split('=')
    await page.context().addCookies([{ name, value, url: web.origin }])
    return page
  }
  return { web, newsletter, desk, open, url: config.databaseUrl }
}

const titles = (page: BrowserPage) => page.locator('.story-title').allTextContents()
/** Does something that ends in a new page, and waits for it. */
const loading = async (page: BrowserPage, act: () => Promise<unknown>) => {
  const loaded = page.waitForEvent('load')
  await act()
  await loaded
}
const shoot = async (page: BrowserPage, name: string) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
}

test('an editor opens Today, orders by keyboard and by drag, looks at each version, sends and watches to the end', async () => {
  const { web, open, url } = await aDesk()
  const page = await open(desktop)
  await page.goto(`${web.origin}/desk`)
  await shoot(page, 'today-desktop-fr')
  await loading(page, () => page.getByRole('button', { name: /Relire et envoyer/ }).click())
  expect(await titles(page)).toEqual([headlines[2], headlines[1], headlines[0]])

  // By keyboard: the last story up, twice; the focus goes along, at the top to the button for the way down.
  await page.getByRole('button', { name: `Monter : ${headlines[0]}` }).focus()
  for (const [place, label] of [
    [2, 'Monter'],
    [1, 'Descendre'],
  ] as const) {
    await loading(page, () => page.keyboard.press('Enter'))
    const focused = page.locator('button:focus-visible')
    await expect.poll(() => focused.getAttribute('aria-label')).toBe(`${label}\u00a0: ${headlines[0]}`)
    const told = await page.locator(`#${await focused.getAttribute('aria-describedby')}`).innerText()
    expect(told).toContain(headlines[0])
    expect(told).toContain(`${place} sur 3`)
  }
  expect(await titles(page)).toEqual([headlines[0], headlines[2], headlines[1]])
  await expect.poll(() => page.locator('h1').textContent()).toContain('phare')

  const items = page.locator('.stories li')
  await loading(page, () => items.nth(2).dragTo(items.nth(0), { targetPosition: { x: 20, y: 2 } }))
  await expect.poll(() => titles(page)).toEqual([headlines[1], headlines[0], headlines[2]])

  const frame = page.frameLocator('iframe[name="preview"]')
  await expect.poll(() => frame.locator('body').textContent()).toContain('trompettes')
  await page.getByLabel('Version', { exact: true }).selectOption({ index: 1 })
  await expect.poll(() => frame.locator('body').textContent()).not.toContain('phare de Port-Clair se rallume')
  await page.getByLabel('Montrer', { exact: true }).selectOption('mime')
  await expect.poll(() => frame.locator('body').textContent()).toContain('List-Unsubscribe-Post')
  await page.getByLabel('Montrer', { exact: true }).selectOption('html')
  await page.getByRole('button', { name: 'Ordinateur' }).click()
  await shoot(page, 'digest-draft-desktop-fr')

  // The panel of a button opens below the row, which stays; Escape closes it, and the button has the focus again.
  const places = () =>
    page.evaluate<number[]>(
      `[...document.querySelectorAll('.digest-head .actions > *')].flatMap((one) => [one.offsetLeft, one.offsetTop, one.offsetWidth])`,
    )
  const before = await places()
  await page.getByText('Envoyer…', { exact: true }).click()
  expect(await places()).toEqual(before)
  await page.keyboard.press('Escape')
  expect(await page.locator('details[open]').count()).toBe(0)
  expect(await page.locator('summary:focus').innerText()).toBe('Envoyer…')
  await page.keyboard.press('Enter')
  await shoot(page, 'digest-send-desktop-fr')
  await expect.poll(() => page.locator('details[open]').textContent()).toContain('12 personnes')
  await loading(page, () => page.getByRole('button', { name: 'Envoyer maintenant' }).click())
  const id = Number(/digests\/(\d+)/.exec(page.url())?.[1])
  await web.context.services.preparing.prepare(id)
  await expect
    .poll(() => page.locator('.chip').first().textContent(), { timeout: 10_000 })
    .toBe('envoi en cours')
  await query(
    url,
    `update deliveries set state = 'accepted', smtp_answer = '250 2.0.0 Ok: queued as 4X', attempt = 1, accepted_at = now()
    where digest_id = $1 and subscriber_id <= 7`,
    [id],
  )
  await query(
    url,
    `update deliveries set state = 'rejected', smtp_answer = '550 5.1.1 no such user', attempt = 1
    where digest_id = $1 and subscriber_id = 8`,
    [id],
  )
  await expect
    .poll(() => page.locator('[data-count="accepted"]').textContent(), { timeout: 10_000 })
    .toBe('7')
  await shoot(page, 'digest-sending-desktop-fr')
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect.poll(() => page.locator('.chip').first().textContent(), { timeout: 10_000 }).toBe('en pause')
  await page.getByPlaceholder('nom@example.org').fill('reader-8@reader.example')
  await loading(page, () => page.getByRole('button', { name: 'Demander' }).click())
  await shoot(page, 'digest-paused-desktop-fr')
  expect(page.faults).toEqual([])
})

test('on a phone, in Arabic, without JavaScript: everything fits and the buttons work', async () => {
  const { web, open, desk } = await aDesk()
  const page = await open({ ...phone, javaScriptEnabled: false, locale: 'ar-DZ' })
  await desk.post('/settings/language', { language: 'ar' })
  await page.goto(`${web.origin}/desk`)
  const fits = () =>
    page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth')
  expect(await page.locator('html').getAttribute('dir')).toBe('rtl')
  await shoot(page, 'today-phone-ar')
  await page.locator('.card a[role="button"]').first().click()
  await shoot(page, 'digest-draft-phone-ar')
  await page.locator('.stories li').nth(1).getByRole('button').first().click()
  expect((await titles(page))[0]).toBe(headlines[1])
  await page.locator('details.ask summary').first().click()
  await page.locator('details.ask[open] button').click()
  await shoot(page, 'digest-sent-phone-ar')
  await expect.poll(() => page.locator('.progress').count()).toBe(1)
  for (const path of [
    '/desk',
    page.url().replace(web.origin, ''),
    '/desk/digests',
    '/desk/newsletters',
    '/desk/newsletters/new',
  ]) {
    await page.goto(web.origin + path)
    await shoot(page, `phone-ar${path.replace(/\W+/g, '-')}`)
    expect(await fits(), path).toBe(true)
  }
})

/** Sent to all but three, of whom nobody knows. */
async function inDoubt({ web, newsletter, url }: Awaited<ReturnType<typeof aDesk>>) {
  const { digests, digestTransitions, preparing } = web.context.services
  const { id, version } = await digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  await digestTransitions.send(id, { actor: cli, version: () => version, idempotencyKey: 'click', body: {} })
  await preparing.prepare(id)
  await query(
    url,
    `update deliveries set attempt = 1, state = case when subscriber_id <= 3 then 'uncertain' else 'accepted' end,
       reason = case when subscriber_id = 1 then 'worker_lost' when subscriber_id <= 3 then 'no_answer' end,
       ambiguous = case when subscriber_id <= 3 then 1 else 0 end`,
  )
  await query(url, `update digests set state = 'completed_with_uncertain', completed_at = now()`)
  return { id, path: `${web.origin}/desk/digests/${id}` }
}

test('readers in doubt: the page says who and why, warns of a second copy, and takes both decisions by keyboard', async () => {
  const desk = await aDesk()
  const { path, id } = await inDoubt(desk)
  const page = await desk.open(desktop)
  await page.goto(path)
  await shoot(page, 'doubt-desktop-fr')
  await loading(page, () => page.getByRole('link', { name: 'Voir qui' }).click())
  await expect.poll(() => page.locator('#deliveries tbody tr').count()).toBe(3)
  await page
    .locator('#deliveries tbody tr')
    .nth(1)
    .getByRole('button', { name: /^Renvoyer/ })
    .focus()
  await loading(page, () => page.keyboard.press('Enter'))
  expect(await page.locator('.notice').first().textContent()).toContain('deux fois')
  expect(await page.locator('#doubt h2').textContent()).toContain('2 personnes')

  await page.getByText('Renvoyer à tous…').focus()
  await page.keyboard.press('Enter')
  expect(await page.locator('#doubt details[open]').textContent()).toContain(
    'Les personnes qui l’ont déjà reçu le recevront deux fois',
  )
  await shoot(page, 'doubt-resend-desktop-fr')
  await page.getByText('Laisser ainsi…').focus()
  await page.keyboard.press('Enter')
  await loading(page, () =>
    page.locator('#doubt').getByRole('button', { name: 'Laisser ainsi', exact: true }).click(),
  )
  expect(await page.locator('#doubt').count()).toBe(0)
  expect((await desk.web.context.services.digests.get(id)).counts).toMatchObject({ pending: 1, uncertain: 2 })
  expect(page.faults).toEqual([])
})

test('on a phone, in Arabic: doubts, a digest past its time and a held copy fit and say what to do', async () => {
  const desk = await aDesk()
  const { path } = await inDoubt(desk)
  const page = await desk.open({ ...phone, locale: 'ar-DZ' })
  await desk.desk.post('/settings/language', { language: 'ar' })
  const fits = () =>
    page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth')
  await page.goto(`${path}?deliveries=uncertain`)
  await page.locator('#doubt summary').first().click()
  await shoot(page, 'doubt-phone-ar')
  await page.locator('iframe').scrollIntoViewIfNeeded()
  await expect
    .poll(() => page.frameLocator('iframe[name="preview"]').locator('body').textContent())
    .toContain('Le Matin')
  if (shots) await page.screenshot({ path: `${shots}/preview-phone-ar.png` })
  expect(await fits()).toBe(true)

  await query(
    desk.url,
    `update digests set state = 'paused', resume_state = 'sending', paused_reason = 'by_hand',
    expires_at = now() - interval '1 hour'`,
  )
  await page.goto(path)
  await page.locator('.actions summary').first().click()
  await shoot(page, 'late-phone-ar')
  expect(await fits()).toBe(true)

  await desk.web.context.database.transaction(({ instanceGuard }) => instanceGuard.markHeld())
  await page.goto(`${desk.web.origin}/desk`)
  await shoot(page, 'held-phone-ar')
  expect(await page.locator('.hold').count()).toBe(1)
  expect(await fits()).toBe(true)
})

test('the newsletter form keeps what it shows', async () => {
  const { web, newsletter, open } = await aDesk()
  const page = await open(desktop)
  await page.goto(`${web.origin}/desk/newsletters/${newsletter.slug}`)
  await page.getByLabel('Nom', { exact: true }).fill('Le Grand Matin')
  await page.getByLabel('Partie 1').selectOption({ label: 'Article de tête' })
  await page.getByLabel('Partie 2').selectOption('section culture')
  await page.getByLabel('Partie 3').selectOption({ label: 'Les plus lus' })
  await page.getByLabel('Hebdomadaire').check()
  await shoot(page, 'newsletter-desktop-fr')
  await loading(page, () => page.getByRole('button', { name: 'Enregistrer' }).click())
  expect(await web.context.services.newsletters.get(newsletter.slug)).toMatchObject({
    name: 'Le Grand Matin',
    blocks: [{ kind: 'lead' }, { kind: 'section', slug: 'culture' }, { kind: 'most-read' }],
    cadences: [{ cadence: 'daily', time: '07:00' }, { cadence: 'weekly', weekday: 1 }, { cadence: 'alert' }],
  })
  expect(page.faults).toEqual([])
})
