import { expect, test } from 'vitest'
import { createMail, type PersonalContent } from '../../src/mail/mail.ts'
import { aPage, desktop, listViolations, phone, type BrowserPage } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { activationPath } from '../support/readers.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const email = 'amina@reader.example'

async function aNewsroom(mailboxUrl = 'http://localhost:8025/') {
  let ahead = 0
  const now = () => new Date(Date.now() + ahead)
  const web = await aWeb({ env: { MAILBOX_URL: mailboxUrl }, now })
  const { database, services } = web.context
  const newsletter = await aNewsletter(database, {
    slug: 'le-matin',
    cadences: [
      { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
      { cadence: 'weekly', weekday: 5, time: '07:00', zone: 'Africa/Algiers' },
      { cadence: 'alert' },
    ],
  })
  await aNewsletter(database, { slug: 'as-sabah', name: 'الصباح', language: 'ar' })
  for (const [slug, fr, ar] of [
    ['culture', 'Culture', 'ثقافة'],
    ['evenement', 'Évènement', 'حدث'],
    ['faits-divers', 'Faits divers', 'متفرقات'],
  ]) {
    await database.stores.selections.insert({
      kind: 'section',
      slug: slug ?? '',
      names: { fr: fr ?? '', ar: ar ?? '' },
    })
  }
  const wait = (ms: number) => (ahead += ms)
  return { web, newsletter, wait, decide: () => services.signupDecisions.decideAll() }
}

const stateOf = async (web: Web, address = email) => {
  const { stores } = web.context.database
  const subscriber = await stores.subscribers.findByAddress(address)
  return subscriber && (await stores.subscriptions.list(subscriber.id))[0]?.state
}

const signUp = async (page: BrowserPage, origin: string) => {
  await page.goto(`${origin}/fr/subscribe`)
  await page.fill('#email', email)
  await page.keyboard.press('Enter')
  await page.waitForURL(/subscribe$/)
  await page.waitForSelector('[role=status]')
}

test('DOI-1 in a browser: sign up by keyboard, then one click on the link of the mail', async () => {
  const { web, decide } = await aNewsroom()
  const page = await aPage(phone)
  await signUp(page, web.origin)
  expect(await page.textContent('h1')).toBe('Consultez votre messagerie')
  expect(await page.getAttribute('main a[role=button]', 'href')).toBe('http://localhost:8025/')
  await decide()
  await page.goto(web.origin + (await activationPath(web, email)))
  expect(await page.textContent('h1')).toBe('C’est fait, merci')
  expect(await page.getAttribute('main a[role=button]', 'href')).toBe('http://localhost:8025/')
  expect(await stateOf(web)).toBe('active')
  expect(page.faults).toEqual([])
})

test.each([true, false])('DOI-4 the button on another device, JavaScript %s', async (javaScriptEnabled) => {
  const { web, wait, decide } = await aNewsroom()
  await signUp(await aPage(), web.origin)
  await decide()
  const other = await aPage({ ...desktop, javaScriptEnabled })
  await other.goto(web.origin + (await activationPath(web, email)))
  expect(await stateOf(web)).toBe('pending')
  wait(1_100)
  await other.click('button[value=activate]')
  expect(await other.textContent('h1')).toBe('C’est fait, merci')
  expect(await stateOf(web)).toBe('active')
})

/** Every row that a subscriber's link could change. */
const snapshot = async (web: Web) =>
  Promise.all(
    [
      'activations',
      'subscriptions',
      'subscribers',
      'consents',
      'suppressions',
      'activation_blocks',
      'outbox',
    ].map((table) => rowsOf(web, `select t::text from ${table} t order by 1`)),
  )

const linksIn = (text: string): string[] =>
  [...text.matchAll(/https?:\/\/[^\s"'<>\])]+/g)].map(([url]) =>
    url.replaceAll('&amp;', '&').replace(/[.,]$/, ''),
  )

test('DOI-3 a scanner opens every link of every mail, runs scripts, follows redirects, never clicks: nothing changes', async () => {
  const { web, newsletter, decide } = await aNewsroom()
  const { services, database } = web.context
  await signUp(await aPage(), web.origin)
  await decide()
  const reader = await aSubscriber(database, { newsletter })
  const [request] = await rowsOf<{ id: string }>(web, 'select id from activations')
  const links = services.subscriptionLinks
  const ref = { subscriberId: reader.id, newsletterId: newsletter.id, digestId: 1 }
  const activation = { activateUrl: links.activationUrl(request?.id ?? ''), expiresAt: new Date() }
  const mails: PersonalContent[] = [
    {
      kind: 'activation',
      newsletters: [{ name: 'Le Matin', description: '', next: undefined }],
      address: 'lectrice@example.org',
      refuseUrl: links.refuseUrl(request?.id ?? ''),
      ...activation,
    },
    {
      kind: 'reminder',
      newsletters: [{ name: 'Le Matin', description: '', next: undefined }],
      address: 'lectrice@example.org',
      refuseUrl: links.refuseUrl(request?.id ?? ''),
      ...activation,
    },
    { kind: 'address-change', ...activation },
    {
      kind: 'already-subscribed',
      newsletters: ['Le Matin'],
      preferencesUrl: links.preferencesUrl(reader.id),
    },
    { kind: 'preferences-link', preferencesUrl: links.freshPreferencesUrl(reader.id) },
  ]
  const mail = createMail({
    publicUrl: web.origin,
    mailFrom: undefined,
    mailReplyTo: undefined,
    bounceDomain: undefined,
    inboundPort: undefined,
    dkim: undefined,
    keyring: web.context.keyring,
    now: () => new Date(),
  })
  const publication = await services.publication.get()
  const urls = new Set([links.unsubscribeUrl(ref), links.preferencesUrl(reader.id)])
  for (const content of mails) {
    const { html, text } = await mail.composePersonal(content, publication, 'fr')
    for (const url of [...linksIn(html), ...linksIn(text)]) urls.add(url)
  }
  const ours = [...urls].filter((url) => url.startsWith(web.origin))
  // Activate, refuse, the preferences twice, unsubscribe.
  expect(ours).toHaveLength(5)
  const before = await snapshot(web)
  const scanner = await aPage()
  const followed = new Set<string>()
  for (const url of ours) {
    await scanner.context().clearCookies()
    await scanner.goto(url, { waitUntil: 'networkidle' })
    for (const link of await scanner.$$eval('a[href]', (anchors) =>
      anchors.map((a) => (a as unknown as { href: string }).href),
    ))
      if (link.startsWith(web.origin) && /activate|unsubscribe|preferences\//.test(link)) followed.add(link)
    for (const method of ['HEAD', 'OPTIONS']) await fetch(url, { method })
  }
  for (const url of followed) {
    await scanner.context().clearCookies()
    await scanner.goto(url, { waitUntil: 'networkidle' })
  }
  expect(await snapshot(web)).toEqual(before)
  expect(await stateOf(web)).toBe('pending')
})

test('the desk shows one person and draws growth, without axe violations', async () => {
  const { web, newsletter } = await aNewsroom()
  const { database } = web.context
  const { id } = await aSubscriber(database, { newsletter })
  await database.stores.consents.insert({
    event: 'activated',
    subscriberId: id,
    newsletterIds: [newsletter.id],
  })
  await database.stores.consents.insert({ event: 'ended', subscriberId: id, newsletterIds: [newsletter.id] })
  const desk = await signedIn(web, 'admin')
  await web.context.services.suppressions.add('barred@reader.example', 'by letter', {
    kind: 'cli',
    role: 'admin',
  })
  const page = await aPage(desktop)
  const [name = '', value = ''] = desk.cookie.split('=')
  await page.context().addCookies([{ name, value, url: web.origin }])
  for (const path of ['subscribers', `subscribers/${id}`, 'suppressions']) {
    await page.goto(`${web.origin}/desk/${path}`)
    expect([path, await listViolations(page)]).toEqual([path, []])
  }
  expect(page.faults).toEqual([])
})
