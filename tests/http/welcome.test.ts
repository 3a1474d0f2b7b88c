import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { activationPath, aReader, aSubscribedReader, nonceIn } from '../support/readers.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const welcome = 'Bonjour,\n\nmerci de nous **lire** : [la rédaction](/fr).'
const decoded = (raw: Buffer | undefined): string =>
  (raw?.toString('latin1') ?? '')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

async function aNewsroom() {
  const sink = await aSmtpSink()
  const web = await aWeb({ env: { SMTP_URL: sink.url } })
  await aNewsletter(web.context.database, { slug: 'le-matin', name: 'Le Matin' })
  const call = await web.api('editor')
  const set = async (change: object) => (await call('PATCH', '/newsletters/le-matin', change)).status
  const welcomes = () =>
    rowsOf<{ n: number }>(web, `select subscriber_id::int as n from outbox where kind = 'welcome' order by 1`)
  return { web, sink, set, welcomes }
}

test('who has just subscribed is welcomed once, in the words of the newsletter; who was subscribed is not', async () => {
  const { web, sink, set, welcomes } = await aNewsroom()
  const { sending, presence, subscriptionLinks } = web.context.services
  await aSubscribedReader(web, 'avant@reader.example', ['le-matin'])
  expect(await welcomes()).toEqual([])
  expect(await set({ welcome, replyTo: 'courrier@rivage.example' })).toBe(200)
  const { subscriber } = await aSubscribedReader(web, 'amina@reader.example', ['le-matin'])
  // The same once more, with another choice.
  const again = aReader(web)
  await again.post('/subscribe', { email: 'avant@reader.example', newsletters: 'le-matin', alerts: 'on' })
  await web.context.services.signupDecisions.decideAll()
  await again.get(await activationPath(web, 'avant@reader.example'))
  expect(await welcomes()).toEqual([{ n: subscriber.id }])
  await rowsOf(web, `delete from outbox where kind <> 'welcome'`)
  await presence.beat()
  await sending.deliverMail()
  const mail = decoded(sink.received[0]?.raw)
  expect(sink.received.map(({ to }) => to)).toEqual([['amina@reader.example']])
  expect(mail).toContain('merci de nous lire : la r')
  expect(mail).toContain(`daction (${web.origin}/fr).`)
  expect(mail).toContain('<strong>lire</strong>')
  // Nothing was sent yet.
  expect(mail).toContain(`href="${web.origin}/newsletters/le-matin"`)
  expect(mail).not.toContain('Lire le dernier envoi')
  expect(mail).toContain(subscriptionLinks.preferencesUrl(subscriber.id))
  // It is left by one click, and answered like the newsletter.
  expect(mail).toMatch(/Reply-To: <?courrier@rivage\.example/)
  expect(mail).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  const [, leave = ''] = /^List-Unsubscribe: <([^>]+)>/m.exec(mail) ?? []
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  expect((await web.fetch(new URL(leave).pathname, { method: 'POST', body })).status).toBe(200)
  expect(
    await rowsOf(web, `select state from subscriptions where subscriber_id = $1`, [subscriber.id]),
  ).toEqual([{ state: 'ended' }])
})

test.each([
  ['fr', 'Un clic, et vous recevrez à l’adresse nora@reader.example', 'heure : Algérie', 'Premier envoi'],
  ['en', 'you want to receive at nora@reader.example', 'Algeria Time', 'First one: '],
  ['ar', 'على العنوان \u2068nora@reader.example\u2069', 'توقيت الجزائر', 'أول عدد: '],
] as const)(
  'the mail that asks to confirm says whose it is, what comes when, where to, and until when: %s',
  async (language, lead, zone, first) => {
    const { web, sink } = await aNewsroom()
    const { database, services } = web.context
    const words = { slug: 'l-hebdo', name: 'L’Hebdo', description: 'La semaine, le vendredi.', language }
    await aNewsletter(database, words)
    const admin = await web.api('admin')
    const about = {
      name: 'Le Rivage',
      description: 'Le quotidien du port.',
      zone: 'Africa/Algiers',
      languages: ['fr', 'ar', 'en'],
    }
    expect((await admin('PATCH', '/publication', about)).status).toBe(200)
    const form = { email: 'nora@reader.example', newsletters: 'l-hebdo', language }
    await aReader(web).post(`/${language}/subscribe`, form)
    await services.signupDecisions.decideAll()
    await services.presence.beat()
    await services.sending.deliverMail()
    const { text = '', html } = await simpleParser(sink.received[0]?.raw ?? Buffer.alloc(0))
    expect(text.replace(/[\u2068\u2069]/g, '').startsWith('Le Rivage\nLe quotidien du port.\n\n')).toBe(true)
    for (const part of [text, String(html).replace(/&#39;/g, '’')]) {
      for (const words of ['L’Hebdo', 'La semaine, le vendredi.', lead, first, `(${zone})`])
        expect(part).toContain(words)
      expect(part).not.toContain('Africa/Algiers')
    }
  },
)

test('a newsletter added in the preferences welcomes too; who left meanwhile gets nothing', async () => {
  const { web, sink, set, welcomes } = await aNewsroom()
  const { services, database } = web.context
  await aNewsletter(database, { slug: 'hebdo', name: 'Hebdo' })
  const { reader, subscriber } = await aSubscribedReader(web, 'amina@reader.example', ['hebdo'])
  await set({ welcome })
  const path = new URL(services.subscriptionLinks.preferencesUrl(subscriber.id)).pathname
  const page = await (await reader.get(path)).text()
  // Where "less often" of a mail leads.
  expect(page).toContain('id="newsletter-hebdo"')
  const nonce = nonceIn(page)
  const chosen = { action: 'save', language: 'fr', newsletters: ['hebdo', 'le-matin'] }
  expect((await reader.post(path, { ...chosen, nonce })).status).toBe(200)
  expect(await welcomes()).toEqual([{ n: subscriber.id }])
  await services.subscriptions.leaveAll(subscriber.id)
  await rowsOf(web, `delete from outbox where kind <> 'welcome'`)
  await services.presence.beat()
  await services.sending.deliverMail()
  expect(sink.received).toEqual([])
  expect(await rowsOf(web, 'select state, reason from outbox')).toEqual([
    { state: 'skipped', reason: 'unsubscribed' },
  ])
})

test('replies go to the newsletter’s own address, which the desk checks', async () => {
  const { web } = await aNewsroom()
  const newsletter = await web.context.services.newsletters.get('le-matin')
  await aSubscriber(web.context.database, { newsletter })
  const desk = await signedIn(web, 'editor')
  const form = { name: 'Le Matin', language: 'fr', minArticles: '1', maxArticles: '12', repeats: 'never' }
  const more = { template: 'digest', zone: 'Africa/Algiers', welcome: 'Bonjour', state: 'public' }
  const refused = await desk.post('/newsletters/le-matin', { ...form, ...more, replyTo: 'a, b' })
  expect(refused.status).toBe(422)
  expect(await refused.text()).toContain('une seule adresse')
  await desk.post('/newsletters/le-matin', { ...form, ...more, replyTo: 'courrier@rivage.example' })
  const call = await web.api('editor')
  const shown = await (await call('GET', '/newsletters/le-matin')).json()
  expect(shown).toMatchObject({ replyTo: 'courrier@rivage.example', welcome: 'Bonjour' })
  const letter = { kind: 'letter', subject: 'Un mot', intro: 'Bonjour' }
  const made = (await (await call('POST', '/newsletters/le-matin/digests', letter)).json()) as { id: number }
  const mime = await (await call('GET', `/digests/${made.id}/preview?format=mime`)).text()
  expect(mime.slice(0, mime.indexOf('<html'))).toMatch(/^Reply-To: .*courrier@rivage\.example/m)
  await desk.post('/newsletters/le-matin', { ...form, ...more, welcome: '', replyTo: '' })
  expect(await (await call('GET', '/newsletters/le-matin')).json()).toMatchObject({
    replyTo: null,
    welcome: null,
  })
})
