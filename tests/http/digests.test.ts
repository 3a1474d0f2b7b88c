import { expect, test } from 'vitest'
import { sendingTimes } from '../../src/domain/delivery/sending-times.ts'
import { dateFormat } from '../../src/domain/formats.ts'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { anArticle } from '../support/articles.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb, type Web } from '../support/web.ts'

type Call = Awaited<ReturnType<Web['api']>>

/** Two articles, of which the newer is in `culture`; one reader of everything, one of `culture` alone. */
async function aNewsroom(change: Parameters<typeof aNewsletter>[1] = {}) {
  const web = await aWeb()
  const { database } = web.context
  const newsletter = await aNewsletter(database, change)
  await anArticle(web.context.database, { externalId: 'phare', title: 'Le phare se rallume' })
  await anArticle(web.context.database, {
    externalId: 'fanfare',
    title: 'La fanfare répète',
    sections: ['culture'],
  })
  const reader = await aSubscriber(database, { newsletter })
  const cultureReader = await aSubscriber(database, { newsletter, sections: ['culture'] })
  return { web, newsletter, reader, cultureReader, call: await web.api('editor') }
}

const json = async <Body>(response: Response): Promise<Body> => (await response.json()) as Body
const codeOf = async (response: Response) =>
  `${response.status} ${(await json<{ code: string }>(response)).code}`

async function compose(call: Call, slug: string, body: object = { cadence: 'daily' }): Promise<DigestShape> {
  const response = await call('POST', `/newsletters/${slug}/digests`, body)
  expect(response.status).toBe(201)
  const digest = await json<DigestShape>(response)
  expect(response.headers.get('etag')).toBe(`"${digest.version}"`)
  return digest
}

const send = (call: Call, digest: { id: number; version: number }, key = 'click') =>
  call(
    'POST',
    `/digests/${digest.id}/send`,
    {},
    { 'if-match': `"${digest.version}"`, 'idempotency-key': key },
  )

test('compose, look, send: variants by sections, one delivery per reader, the equation, and why', async () => {
  const { web, newsletter, call, reader } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  expect(digest).toMatchObject({ state: 'draft', subject: 'La fanfare répète', audience: 2 })
  expect(digest.articles.map(({ externalId, block, readers }) => [externalId, block, readers])).toEqual([
    ['fanfare', 'lead', 2],
    ['phare', 'articles', 1],
  ])
  expect(digest.variants.map((variant) => variant.articles)).toEqual(
    expect.arrayContaining([['fanfare', 'phare'], ['fanfare']]),
  )
  const sent = await send(call, digest)
  expect(sent.status).toBe(202)
  expect(await json(sent)).toMatchObject({ state: 'preparing', contentHash: digest.contentHash })

  await web.context.services.preparing.prepare(digest.id)
  const sending = await json<DigestShape>(await call('GET', `/digests/${digest.id}`))
  expect(sending).toMatchObject({ state: 'sending', audience: 2, counts: { pending: 2, accepted: 0 } })
  expect(Object.values(sending.counts).reduce((sum, n) => sum + n, 0)).toBe(sending.audience)

  const deliveries = await json<{ data: { email: string }[] }>(
    await call('GET', `/digests/${digest.id}/deliveries?state=pending&limit=1`),
  )
  expect(deliveries).toMatchObject({ data: [{ email: reader.address }], next: expect.any(String) as string })
  const why = await call('GET', `/subscribers/${reader.id}/explain?digest=${digest.id}`)
  expect(await json(why)).toMatchObject({ got: false, reason: 'on_its_way', delivery: { state: 'pending' } })

  // What is on its way is not sent again by the next digest.
  const next = await compose(call, newsletter.slug)
  expect(next).toMatchObject({ audience: 0, articles: [] })
})

test('P6 fifty parallel sends, with the same key and with different ones, are one', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const keys = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? 'same' : `other-${n}`))
  const responses = await Promise.all(keys.map((key) => send(call, digest, key)))
  const accepted = responses.flatMap((response, n) => (response.status === 202 ? [n] : []))
  // Either all of the shared key were answered by one send, or one of the others was first.
  const winners = new Set(accepted.map((n) => keys[n]))
  expect(winners.size).toBe(1)
  for (const response of responses) expect([202, 409, 412]).toContain(response.status)
  await web.context.services.preparing.prepare(digest.id)
  await web.context.services.preparing.prepare(digest.id)
  expect(await json(await call('GET', `/digests/${digest.id}`))).toMatchObject({ audience: 2 })
  const { data } = await json<{ data: { action: string }[] }>(await (await web.api('admin'))('GET', '/audit'))
  expect(data.filter((entry) => entry.action === 'digest.sent')).toHaveLength(1)
})

test('the same key gets the same answer later too, whatever If-Match says by then', async () => {
  const { newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const first = await json(await send(call, digest))
  const again = await send(call, { id: digest.id, version: 999 })
  expect(again.status).toBe(202)
  expect(await json(again)).toEqual(first)
})

test('a send needs its key and its version, and a postal address', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const path = `/digests/${digest.id}/send`
  expect(await codeOf(await call('POST', path, {}, { 'if-match': '"2"' }))).toBe(
    '428 idempotency_key_required',
  )
  expect(await codeOf(await call('POST', path, {}, { 'idempotency-key': 'k' }))).toBe('428 if_match_required')
  expect(await codeOf(await send(call, { id: digest.id, version: 1 }))).toBe('412 version_changed')
  await (
    await web.api('admin')
  )('PATCH', '/publication', { postalAddress: null })
  const { version } = await json<DigestShape>(await call('GET', `/digests/${digest.id}`))
  expect(await codeOf(await send(call, { id: digest.id, version }))).toBe('409 no_postal_address')
  expect(await codeOf(await send(await web.api('viewer'), digest))).toBe('403 role_too_low')
  expect(await codeOf(await send(call, { id: 4711, version: 1 }))).toBe('404 no_digest')
})

test('an article that comes in after an editor looked is a new version: If-Match keeps it out', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  await anArticle(web.context.database, { externalId: 'port', title: 'Le port rouvre' })
  expect(await codeOf(await send(call, digest))).toBe('412 version_changed')
  const fresh = await json<DigestShape>(await call('GET', `/digests/${digest.id}`))
  expect(fresh.subject).toBe('Le port rouvre')
  expect((await send(call, fresh)).status).toBe(202)
})

test('pin, exclude, subject, intro; an exclusion holds for the newsletter', async () => {
  const { newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const change = (version: number, body: object) =>
    call('PATCH', `/digests/${digest.id}`, body, { 'if-match': `"${version}"` })
  const pinned = await json<DigestShape>(
    await change(digest.version, { pinned: ['phare'], intro: 'Bonjour.' }),
  )
  expect(pinned).toMatchObject({ subject: 'Le phare se rallume', intro: 'Bonjour.' })
  expect(pinned.contentHash).not.toBe(digest.contentHash)
  expect(await codeOf(await change(digest.version, { intro: 'Trop tard' }))).toBe('412 version_changed')
  const without = await json<DigestShape>(
    await change(pinned.version, { excluded: ['fanfare'], subject: 'Ce matin' }),
  )
  expect(without.articles.map((article) => article.externalId)).toEqual(['phare'])
  expect(without).toMatchObject({ subject: 'Ce matin', excluded: ['fanfare'], audience: 1 })
  const other = await compose(call, newsletter.slug)
  expect(other.articles.map((article) => article.externalId)).toEqual(['phare'])
  const back = await json<DigestShape>(await change(without.version, { excluded: [], subject: null }))
  expect(back.articles.map((article) => article.externalId)).toEqual(['phare', 'fanfare'])
  expect(await codeOf(await change(back.version, { pinned: ['nulle-part'] }))).toBe('422 article_not_public')
})

test('approval is bound to the hash: four eyes, and a change asks again', async () => {
  const { web, newsletter, call } = await aNewsroom({ approval: 'four-eyes' })
  const digest = await compose(call, newsletter.slug)
  const approve = (by: Call, version: number) =>
    by('POST', `/digests/${digest.id}/approve`, {}, { 'if-match': `"${version}"` })
  expect(await codeOf(await send(call, digest))).toBe('409 approval_needed')
  expect(await codeOf(await approve(call, digest.version))).toBe('403 four_eyes')
  const other = await web.api('editor')
  const approved = await json<DigestShape>(await approve(other, digest.version))
  expect(approved).toMatchObject({ state: 'approved', contentHash: digest.contentHash })
  const changed = await json<DigestShape>(
    await call(
      'PATCH',
      `/digests/${digest.id}`,
      { intro: 'Bonjour.' },
      { 'if-match': `"${approved.version}"` },
    ),
  )
  expect(changed).toMatchObject({ state: 'draft', frozen: false, approval: { approvedBy: null } })
  expect(await codeOf(await send(call, changed))).toBe('409 approval_needed')
  const again = await json<DigestShape>(await approve(other, changed.version))
  expect((await send(call, again)).status).toBe(202)
})

test('an approved digest is frozen: what is published later waits for the next', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const etag = { 'if-match': `"${digest.version}"` }
  await call('POST', `/digests/${digest.id}/approve`, {}, etag)
  await anArticle(web.context.database, { externalId: 'port' })
  const still = await json<DigestShape>(await call('GET', `/digests/${digest.id}`))
  expect(still).toMatchObject({ state: 'approved', contentHash: digest.contentHash, frozen: true })
})

test('pause, resume and cancel; each only from where it makes sense', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const act = (action: string) => call('POST', `/digests/${digest.id}/${action}`, {})
  expect(await codeOf(await act('pause'))).toBe('409 wrong_state')
  await send(call, digest)
  await web.context.services.preparing.prepare(digest.id)
  expect(await json(await act('pause'))).toMatchObject({ state: 'paused' })
  expect(await json(await act('resume'))).toMatchObject({ state: 'sending' })
  expect(await json(await act('cancel'))).toMatchObject({ state: 'cancelled' })
  expect(await json(await call('GET', `/digests/${digest.id}`))).toMatchObject({
    counts: { pending: 0, skipped: 2 },
    audience: 2,
  })
  expect(await codeOf(await act('resume'))).toBe('409 wrong_state')
})

test('a digest that the relay refuses says so, and stays where it is once it is paused by hand', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  await send(call, digest)
  const { services, database } = web.context
  await services.preparing.prepare(digest.id)
  const answer = '550 Quota'
  await database.stores.runningDigests.markPaused(digest.id, 'relay_refuses', { answer, waitMinutes: [0] })
  const shown = { state: 'paused', reason: 'relay_refuses', relayAnswer: answer }
  const read = async () => json<DigestShape>(await call('GET', `/digests/${digest.id}`))
  expect(await read()).toMatchObject({ ...shown, retryAt: expect.any(String) as string })
  await call('POST', `/digests/${digest.id}/pause`, {})
  expect(await read()).toMatchObject({ state: 'paused', reason: 'by_hand', retryAt: null })
  expect(await database.stores.runningDigests.resumeProbes()).toEqual([])
  expect(await json(await call('POST', `/digests/${digest.id}/resume`, {}))).toMatchObject({
    state: 'sending',
  })
})

test('resumed after its time, a digest expires for nobody unasked', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  await send(call, digest)
  await web.context.services.preparing.prepare(digest.id)
  await call('POST', `/digests/${digest.id}/pause`, {})
  await rowsOf(web, `update digests set expires_at = now() - interval '1 minute'`)
  const resume = (body: object) => call('POST', `/digests/${digest.id}/resume`, body)
  expect(await codeOf(await resume({}))).toBe('409 digest_expired')
  expect(await codeOf(await resume({ extend: false }))).toBe('409 digest_expired')
  expect(await json(await call('GET', `/digests/${digest.id}`))).toMatchObject({
    state: 'paused',
    counts: { pending: 2, expired: 0 },
  })
  expect(await json(await resume({ extend: true }))).toMatchObject({ state: 'sending' })
  const claim = await web.context.database.stores.deliveries.leasesOf(digest.id, sendingTimes).claim(10, 0)
  expect(claim.claimed).toHaveLength(2)
})

test('an alert is one article, goes to those who want alerts, and only so often a day', async () => {
  const cadences = [
    { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
    { cadence: 'alert', maxPerDay: 1 },
  ] as const
  const { web, newsletter, call } = await aNewsroom({ cadences: [...cadences] })
  await aSubscriber(web.context.database, { newsletter, alerts: true })
  await aSubscriber(web.context.database, { newsletter, cadence: 'alert' })
  const path = `/newsletters/${newsletter.slug}/digests`
  expect(await codeOf(await call('POST', path, { cadence: 'alert' }))).toBe('422 one_article')
  expect(await codeOf(await call('POST', path, { cadence: 'weekly' }))).toBe('422 no_cadence')
  const alert = await compose(call, newsletter.slug, { cadence: 'alert', articles: ['phare'] })
  expect(alert).toMatchObject({ audience: 2, subject: 'Le phare se rallume' })
  expect((await send(call, alert)).status).toBe(202)
  await web.context.services.preparing.prepare(alert.id)
  await anArticle(web.context.database, { externalId: 'port' })
  const second = await compose(call, newsletter.slug, { cadence: 'alert', articles: ['port'] })
  expect(await codeOf(await send(call, second))).toBe('409 alerts_spent')
  // Who got the alert does not get the story again in the morning.
  const daily = await compose(call, newsletter.slug)
  expect(daily.articles.find((article) => article.externalId === 'phare')?.readers).toBe(1)
})

test('nothing new for anyone is a digest that says so', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const first = await compose(call, newsletter.slug)
  await send(call, first)
  await web.context.services.preparing.prepare(first.id)
  const second = await compose(call, newsletter.slug)
  await send(call, second)
  await web.context.services.preparing.prepare(second.id)
  expect(await json(await call('GET', `/digests/${second.id}`))).toMatchObject({
    state: 'skipped',
    reason: 'nothing_new',
  })
})

test('progress as server-sent events, to the end', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  await send(call, digest)
  await web.context.services.preparing.prepare(digest.id)
  const response = await call('GET', `/digests/${digest.id}/events`)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  await call('POST', `/digests/${digest.id}/cancel`, {})
  const events = await response.text()
  expect(events).toContain('event: progress\ndata: {"id":')
  expect(events).toContain('"state":"cancelled"')
  expect((await call('GET', '/digests/4711/events')).status).toBe(404)
})

test('the list pages by cursor and filters by newsletter and state', async () => {
  const { newsletter, call } = await aNewsroom()
  for (let n = 0; n < 3; n += 1) await compose(call, newsletter.slug)
  type List = { data: DigestShape[]; next: string | null }
  const first = await json<List>(
    await call('GET', `/digests?newsletter=${newsletter.slug}&state=draft&limit=2`),
  )
  const second = await json<List>(await call('GET', `/digests?state=draft&limit=2&cursor=${first.next}`))
  const ids = [...first.data, ...second.data].map((digest) => digest.id)
  expect(ids).toEqual([...ids].sort((a, b) => b - a))
  expect(new Set(ids).size).toBe(3)
  expect(second.next).toBeNull()
  expect(await json<List>(await call('GET', '/digests?state=completed'))).toMatchObject({ data: [] })
})

test('the preview of each variant is what goes out: HTML, text, and the bytes', async () => {
  const { newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  const small = digest.variants.find((variant) => variant.articles.length === 1)
  const path = `/digests/${digest.id}/preview`
  const html = await call('GET', path)
  expect(html.headers.get('content-type')).toContain('text/html')
  expect(html.headers.get('content-security-policy')).toContain('sandbox')
  const text = await (await call('GET', `${path}?format=text&variant=${small?.id}`)).text()
  expect(text).toContain('La fanfare répète')
  expect(text).not.toContain('Le phare se rallume')
  const mime = await (await call('GET', `${path}?format=mime`)).text()
  for (const name of ['List-Id', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'Subject', 'Message-ID']) {
    expect(mime.match(new RegExp(`^${name}:`, 'gm')), name).toHaveLength(1)
  }
  expect(await codeOf(await call('GET', `${path}?variant=nowhere`))).toBe('404 no_variant')
})

test('a test goes to the desk alone', async () => {
  const { web, newsletter, call } = await aNewsroom()
  await web.context.services.editors.add(
    { email: 'nadia@rivage.example', role: 'editor' },
    { kind: 'cli', role: 'admin' },
  )
  const digest = await compose(call, newsletter.slug)
  const path = `/digests/${digest.id}/test`
  expect(await codeOf(await call('POST', path, { to: ['reader@reader.example'] }))).toBe(
    '422 not_of_the_desk',
  )
  const sent = await call('POST', path, { to: ['Nadia@rivage.example'] })
  expect(sent.status).toBe(202)
  expect(await json(sent)).toEqual({ sent: 1 })
})

test('sent before its time a digest says the day it goes, and new readers hear of the one after it', async () => {
  const zone = 'Africa/Algiers'
  const days = (n: number) => new Date(Date.now() + n * 86_400_000)
  const weekday = days(2).getUTCDay() || 7
  const { web, newsletter, call } = await aNewsroom({
    cadences: [{ cadence: 'weekly', weekday, time: '12:00', zone }],
  })
  const { digests, expectations } = web.context.services
  const [schedule] = newsletter.schedules
  if (!schedule) throw new Error('it has a schedule')
  const id = (await digests.openDraft(newsletter, schedule)) ?? 0
  const planned = new Date((await digests.get(id)).sendAt ?? '')
  const said = async () => {
    const text = await (await call('GET', `/digests/${id}/preview?format=text`)).text()
    const all = [days(0), planned].map((at) =>
      dateFormat('fr', { dateStyle: 'full', timeZone: zone }).format(at),
    )
    return all.map((date) => text.includes(date))
  }
  const chosen = { newsletters: [{ ...newsletter, cadence: 'weekly' as const }] }
  const nextAt = async () => (await expectations.listExpectations(chosen))[0]?.next?.getTime()
  expect(await said()).toEqual([false, true])
  expect(await nextAt()).toBe(planned.getTime())
  const shown = await digests.get(id)
  expect((await send(call, shown)).status).toBe(202)
  expect(await said()).toEqual([true, false])
  expect(await nextAt()).toBe(planned.getTime() + 7 * 86_400_000)
  // What was looked at is what went.
  expect((await digests.get(id)).contentHash).toBe(shown.contentHash)
})

test('what went out is in the archive and on the web, without what was withdrawn since; a draft is not', async () => {
  const { web, newsletter, call } = await aNewsroom()
  const digest = await compose(call, newsletter.slug)
  expect((await web.fetch(`/digests/${digest.id}`)).status).toBe(404)
  await send(call, digest)
  await web.context.services.preparing.prepare(digest.id)
  expect((await web.fetch(`/digests/${digest.id}`)).status).toBe(404)
  await rowsOf(web, `update deliveries set state = 'accepted' where digest_id = $1`, [digest.id])
  const page = await web.fetch(`/newsletters/${newsletter.slug}`)
  expect(page.status).toBe(200)
  expect(await page.text()).toContain(`href="/digests/${digest.id}"`)
  const read = async () => (await web.fetch(`/digests/${digest.id}`)).text()
  expect(await read()).toContain('Le phare se rallume')
  await call('POST', '/articles/phare/withdraw', { reason: 'Erreur' })
  expect(await read()).not.toContain('Le phare se rallume')
  expect((await web.fetch('/newsletters/nulle-part')).status).toBe(404)
  expect((await web.fetch('/digests/x')).status).toBe(404)
})
