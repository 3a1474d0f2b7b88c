import { expect, test } from 'vitest'
import { cloneDatabase } from '../support/database.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aReader } from '../support/readers.ts'
import { aSender } from '../support/sending.ts'
import { aSendingDigest } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const start = new Date()

async function aReaderWithMail() {
  let at = start
  const web = await aWeb({ now: () => at })
  const newsletter = await aNewsletter(web.context.database, {
    cadences: [
      { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
      { cadence: 'weekly', weekday: 5, time: '07:00', zone: 'Africa/Algiers' },
    ],
  })
  const subscriber = await aSubscriber(web.context.database, { newsletter })
  const ref = { subscriberId: subscriber.id, newsletterId: newsletter.id, digestId: 7 }
  const { pathname } = new URL(web.context.services.subscriptionLinks.unsubscribeUrl(ref))
  const find = () => web.context.database.stores.subscriptions.find(ref)
  return {
    web,
    newsletter,
    subscriber,
    path: pathname,
    find,
    later: (days: number) => {
      at = new Date(at.getTime() + days * 24 * 3_600_000)
    },
  }
}

const multipartOf = (boundary: string) => ({ 'content-type': `multipart/form-data; boundary=${boundary}` })
const multipart = new FormData()
multipart.set('List-Unsubscribe', 'One-Click')

test.each([
  ['multipart', { body: multipart }],
  ['urlencoded', { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }],
  [
    'multipart that is cut off',
    { body: '--b\r\nContent-Disposition: form-data; name="action"\r\n\r\npau', headers: multipartOf('b') },
  ],
  [
    'multipart without a boundary',
    { body: 'action=pause', headers: { 'content-type': 'multipart/form-data' } },
  ],
  ['empty', {}],
  ['JSON', { body: '{"a":', headers: { 'content-type': 'application/json' } }],
  ['an unknown encoding', { body: 'x', headers: { 'content-encoding': 'br', 'content-type': 'text/x' } }],
  ['a large body', { body: 'x'.repeat(300_000) }],
])(
  'UNS-1 UNS-4 one click with %s is 200 without redirect, cookie, origin or referer, and committed',
  async (_, init) => {
    const { web, path, find } = await aReaderWithMail()
    const response = await web.fetch(path, { method: 'POST', ...(init as RequestInit) })
    expect(response.status).toBe(200)
    expect(await find()).toMatchObject({ state: 'ended', endedReason: 'unsubscribed' })
    expect((await web.fetch(path, { method: 'POST', ...(init as RequestInit) })).status).toBe(200)
  },
)

test('an action counts in multipart as in urlencoded; a file by its name, or an action unknown, unsubscribes', async () => {
  const { web, path, find } = await aReaderWithMail()
  const send = async (fields: Record<string, string | Blob>) => {
    const body = new FormData()
    for (const [name, value] of Object.entries(fields)) body.set(name, value)
    expect((await web.fetch(path, { method: 'POST', body })).status).toBe(200)
    return find()
  }
  expect(await send({ action: 'less-often' })).toMatchObject({ state: 'active', cadence: 'weekly' })
  expect((await send({ action: 'pause', days: '30' }))?.pausedUntil).toBeInstanceOf(Date)
  expect(await send({ action: new Blob(['less-often']) })).toMatchObject({ state: 'ended' })
  expect(await send({ action: 'undo' })).toMatchObject({ state: 'active' })
  expect(await send({ action: 'dance' })).toMatchObject({ state: 'ended' })
})

test('UNS-2 GET, HEAD and OPTIONS change nothing', async () => {
  const { web, path, find } = await aReaderWithMail()
  for (const method of ['GET', 'HEAD', 'OPTIONS']) await web.fetch(path, { method })
  expect(await find()).toMatchObject({ state: 'active' })
})

test('UNS-3 a forged link is 404 like a random one; a person who is gone is 200', async () => {
  const { web, path, subscriber } = await aReaderWithMail()
  const { stores } = web.context.database
  for (const forged of [path.slice(0, -1), `${path}A`, path.replace('-7.', '-8.'), '/unsubscribe/x']) {
    expect((await web.fetch(forged, { method: 'POST' })).status).toBe(404)
  }
  // Whoever left, and then had everything erased, is offered no way back.
  await stores.subscriptions.markEnded(subscriber.id, 'unsubscribed')
  await stores.personalData.delete(subscriber.id)
  expect((await web.fetch(path, { method: 'POST' })).status).toBe(200)
  const page = await web.fetch(path)
  expect([page.status, (await page.text()).includes('value="undo"')]).toEqual([200, false])
})

test('UNS-5 a digest that is already being sent honours it', async () => {
  const databaseUrl = await cloneDatabase()
  const { digestId, newsletterId } = await aSendingDigest(databaseUrl, { readers: 5 })
  const sink = await aSmtpSink()
  const web = await aWeb({ databaseUrl })
  const { sending } = await aSender(web.context.database, { smtpUrl: sink.url })
  const subscriber = await web.context.database.stores.subscribers.findByAddress('reader-3@reader.example')
  const ref = { subscriberId: subscriber?.id ?? 0, newsletterId, digestId }
  const { pathname } = new URL(web.context.services.subscriptionLinks.unsubscribeUrl(ref))
  expect((await web.fetch(pathname, { method: 'POST' })).status).toBe(200)
  await sending.deliverDigest(digestId)
  expect(sink.received.flatMap(({ to }) => to).sort()).toEqual(
    [1, 2, 4, 5].map((n) => `reader-${n}@reader.example`),
  )
  expect(await rowsOf(web, "select reason from deliveries where state = 'skipped'")).toEqual([
    { reason: 'unsubscribed' },
  ])
})

test('DOI-9 tokens of other purposes are the same 404', async () => {
  const { web, path, subscriber } = await aReaderWithMail()
  const { subscriptionLinks } = web.context.services
  const token = path.split('/')[2] ?? ''
  const preferences = new URL(subscriptionLinks.preferencesUrl(subscriber.id)).pathname.split('/')[2] ?? ''
  const activation = new URL(subscriptionLinks.activationUrl('0b0f1c5e-6f0a-4f6e-9d0e-0a1b2c3d4e5f')).pathname
  const foreign = [
    `/activate/${token}`,
    `/preferences/${token}`,
    `/unsubscribe/${preferences}`,
    `/activate/${preferences}`,
    `/unsubscribe/${activation.split('/')[2] ?? ''}`,
    '/unsubscribe/random',
  ]
  const bodies = await Promise.all(
    foreign.map(async (other) => {
      const response = await web.fetch(other, { headers: { accept: 'application/json' } })
      return [response.status, ((await response.json()) as { code: string }).code]
    }),
  )
  expect(new Set(bodies.map(String))).toEqual(new Set(['404,no_link']))
})

test('a link that is not one says so on its page, and offers a new one or a signup', async () => {
  const web = await aWeb()
  for (const page of ['activate', 'preferences', 'unsubscribe']) {
    const response = await web.fetch(`/${page}/cut-sho`, { headers: { accept: 'text/html' } })
    const html = await response.text()
    expect([page, response.status, html.includes('Ce lien n’est pas l’un des nôtres')]).toEqual([
      page,
      404,
      true,
    ])
    for (const way of ['/preferences"', '/subscribe"']) expect(html).toContain(`${way}>`)
  }
})

test('less often, pause, leave everything, reason and undo', async () => {
  const { web, path, find, later } = await aReaderWithMail()
  const reader = aReader(web)
  const lessOften = async () => (await reader.post(path, { action: 'less-often' })).text()
  expect(await lessOften()).toContain('une fois par semaine')
  expect(await find()).toMatchObject({ state: 'active', cadence: 'weekly' })
  expect(await lessOften(), 'nothing is rarer').not.toContain('une fois par semaine')
  await reader.post(path, { action: 'pause', days: '30' })
  expect((await find())?.pausedUntil?.getTime()).toBe(start.getTime() + 30 * 24 * 3_600_000)
  await reader.post(path, { action: 'leave-all' })
  expect(await find()).toMatchObject({ state: 'ended', endedReason: 'unsubscribed' })
  await reader.post(path, { action: 'reason', reason: 'too-often' })
  expect(await (await reader.post(path, { action: 'undo' })).text()).toContain('est rétabli')
  expect(await find()).toMatchObject({ state: 'active', cadence: 'weekly' })
  await reader.post(path, {})
  later(31)
  await reader.post(path, { action: 'undo' })
  expect(await find()).toMatchObject({ state: 'ended' })
})

test('the page speaks the subscriber’s language, mirrored for Arabic', async () => {
  const { web, newsletter } = await aReaderWithMail()
  const { id } = await aSubscriber(web.context.database, { newsletter, language: 'ar' })
  const url = web.context.services.subscriptionLinks.unsubscribeUrl({
    subscriberId: id,
    newsletterId: newsletter.id,
    digestId: 1,
  })
  expect(await (await web.fetch(new URL(url).pathname)).text()).toContain('<html lang="ar" dir="rtl">')
})
