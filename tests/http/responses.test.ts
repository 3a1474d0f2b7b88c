import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { signedIn } from '../support/desk.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { rowsOf } from '../support/query.ts'
import { aReader, nonceIn } from '../support/readers.ts'
import { aWeb, type Web } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const email = 'amina@reader.example'
const day = 24 * 3_600_000
const written = { name: 'Amina', email, text: 'Bien dit.\n\nEt le port ?' }

async function aNewsroom(on = true) {
  let at = new Date()
  const sink = await aSmtpSink()
  const web = await aWeb({ now: () => at, env: { SMTP_URL: sink.url } })
  const { services, database } = web.context
  await services.presence.beat()
  if (on) await services.publication.set({ responses: 'on' }, cli)
  const article = await anArticle(database, {
    slug: 'le-port',
    title: 'Le port',
    language: 'fr',
    responses: 'open',
    authors: ['Nadia Belamri'],
  })
  const reader = aReader(web)
  const post = (fields: Record<string, string> = {}) =>
    reader.post('/articles/le-port/responses', { ...written, ...fields })
  const linksTo = async (address: string) => {
    await services.sending.deliverMail()
    const mails = sink.received.filter(({ to }) => to.includes(address))
    const parsed = await Promise.all(mails.map(({ raw }) => simpleParser(raw)))
    return parsed.map(({ text = '' }) => ({ text, path: /\/respond\/[\w.-]+/.exec(text)?.[0] ?? '' }))
  }
  const later = (ms: number) => (at = new Date(at.getTime() + ms))
  const press = async (path: string, action: string) => {
    const nonce = nonceIn(await (await reader.get(path)).text())
    later(2_000)
    return reader.post(path, { action, nonce })
  }
  /** Written, confirmed by its mail's button, and held. */
  const hold = async (fields: Record<string, string> = {}) => {
    await post(fields)
    const mails = await linksTo(fields['email'] ?? email)
    expect((await press(mails.at(-1)?.path ?? '', 'confirm')).status).toBe(200)
  }
  return { web, sink, services, article, reader, post, linksTo, later, press, hold }
}

const statesOf = async (web: Web) =>
  (await rowsOf<{ state: string }>(web, 'select state from written_responses order by id')).map(
    ({ state }) => state,
  )

test('a response is written under an open article, confirmed by mail, held, and public once it is let through', async () => {
  const { web, services, reader, post, linksTo, press } = await aNewsroom()
  const page = await (await reader.get('/articles/le-port')).text()
  expect(page).toContain('action="/articles/le-port/responses#respond"')
  expect(page).toMatch(/name="stamp" value="[^"]+"/)
  expect((await post()).status).toBe(200)
  expect(await statesOf(web)).toEqual(['unconfirmed'])
  const [mail] = await linksTo(email)
  expect(mail?.text).toContain('Le port')
  expect(mail?.text).toContain('Bien dit. Et le port ?')

  const stranger = aReader(web)
  const path = mail?.path ?? ''
  const shown = await stranger.get(path)
  expect(shown.headers.get('cache-control')).toBe('no-store')
  expect(await statesOf(web)).toEqual(['unconfirmed'])
  expect((await stranger.post(path, { action: 'confirm', nonce: 'x' })).status).toBe(422)
  expect(await (await press(path, 'confirm')).text()).toContain('C’est confirmé')
  expect(await statesOf(web)).toEqual(['held'])
  expect(await (await reader.get('/articles/le-port')).text()).not.toContain('Bien dit.')

  const api = await web.api('editor')
  const { data } = (await (await api('GET', '/responses?state=held')).json()) as { data: { id: number }[] }
  expect(data).toMatchObject([
    { author: 'Amina', html: '<p>Bien dit.</p><p>Et le port ?</p>', articleTitle: 'Le port' },
  ])
  expect(JSON.stringify(data)).not.toContain('reader.example')
  const published = await api('POST', `/responses/${data[0]?.id}/publish`)
  expect(published.status).toBe(200)
  const { guid } = (await published.json()) as { guid: string }
  await services.feeds.renderChanged()
  const feed = await (await web.fetch('/articles/le-port/responses/rss.xml')).text()
  expect(feed).toContain(guid)
  for (const text of [feed, await (await reader.get('/articles/le-port')).text()]) {
    expect(text).toContain('Bien dit.')
    expect(text).not.toContain(email)
  }
  expect((await (await api('POST', `/responses/${data[0]?.id}/refuse`)).json()) as object).toMatchObject({
    state: 'refused',
    guid,
  })
  expect(await (await reader.get('/articles/le-port')).text()).not.toContain('Bien dit.')
  const audit = await rowsOf(web, `select action from audit where action like 'response.%' order by id`)
  expect(audit).toEqual([{ action: 'response.published' }, { action: 'response.refused' }])
})

test('an address that is typed is a link, the feed says all of it; a decision is taken back on the desk and by API', async () => {
  const { web, services, reader, hold } = await aNewsroom()
  const [one, two] = ['https://port.example/a?b=1&amp;c=2', 'https://mer.example/(x']
  const link = (url: string, words = url) => `<a href="${url}" rel="ugc nofollow">${words}</a>`
  await hold({
    text: `Voyez ${one.replace('&amp;', '&')}.\n\nEt (${two}) ; ${link('https://z.example/', 'la suite https://z.example')}…`,
  })
  const [held] = await rowsOf<{ id: number; html: string }>(web, 'select id, html from written_responses')
  expect(held?.html).toBe(
    `<p>Voyez ${link(one)}.</p><p>Et (${link(two)}) ; ${link('https://z.example/', 'la suite https://z.example')}…</p>`,
  )
  const api = await web.api('editor')
  const path = `/responses/${held?.id}`
  await api('POST', `${path}/publish`)
  await services.feeds.renderChanged()
  const feed = await (await web.fetch('/articles/le-port/responses/rss.xml')).text()
  expect(feed).toMatch(/<description><!\[CDATA\[Voyez [^\]]* Et \([^\]]*la suite/)

  const desk = await signedIn(web, 'editor')
  expect(await (await desk.get(`/responses?after=${held?.id}&done=published`)).text()).toContain(
    'value="held"',
  )
  expect((await desk.post(path, { do: 'held' })).status).toBe(303)
  expect(await statesOf(web)).toEqual(['held'])
  expect(await (await reader.get('/articles/le-port')).text()).not.toContain('Voyez')
  await api('POST', `${path}/refuse`)
  expect(await (await api('POST', `${path}/hold`)).json()).toMatchObject({ state: 'held', decidedAt: null })
})

test('where too much came from one place, what was typed stands in the form; a closed article has none', async () => {
  const { web, services, reader, post } = await aNewsroom()
  const typed = { name: 'Amina', text: 'Un long texte à garder.', email }
  let answer = await post({ text: '' })
  while (answer.status === 422) answer = await post({ text: '' })
  expect(answer.status).toBe(429)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  const page = await (await post(typed)).text()
  for (const words of [`value="${email}"`, typed.text, 'Réessayez dans un moment'])
    expect(page).toContain(words)
  await aNewsletter(web.context.database)
  const signup = await reader.post('/subscribe', { email: 'nour@reader.example' })
  expect([signup.status, (await signup.text()).includes('value="nour@reader.example"')]).toEqual([429, true])
  await services.publication.set({ responses: 'off' }, cli)
  const closed = await post(typed)
  expect([closed.status, (await closed.text()).includes(typed.text)]).toEqual([429, false])
  expect((await rowsOf(web, 'select from written_responses')).length).toBe(0)
})

test('it is off until a newsroom switches it on; what is closed, or at its source, never says that it is open', async () => {
  const { web, services, reader, post } = await aNewsroom(false)
  expect(await (await reader.get('/articles/le-port')).text()).toContain(
    'Les réponses à cet article sont closes.',
  )
  expect((await post()).status).toBe(409)
  const api = await web.api('admin')
  expect((await api('PATCH', '/publication', { responses: 'maybe' })).status).toBe(422)
  expect(await (await api('PATCH', '/publication', { responses: 'on' })).json()).toMatchObject({
    responses: 'on',
    trackbacks: 'off',
  })
  expect((await post()).status).toBe(200)
  await services.publication.set({ responses: 'off' }, cli)
  expect((await post()).status).toBe(409)
  await services.publication.set({ responses: 'on' }, cli)
  const [source] = await rowsOf<{ id: number }>(
    web,
    `insert into sources (kind, url, home, name, host, token, links)
     values ('feed', 'http://w.example/', 'http://w.example/', 'W', 'w.example', 't', 'here') returning id`,
  )
  await rowsOf(
    web,
    `insert into source_items (source_id, remote_id, article_id, title, state) select $1, '1', id, 'Le port', 'here' from articles`,
    [source?.id],
  )
  await rowsOf(web, `update articles set canonical_url = 'http://w.example/port'`)
  const page = await (await reader.get('/articles/le-port')).text()
  expect(page).toContain('<a href="http://w.example/port">Répondre sur le site d’origine')
  expect(page).not.toContain('<form method="post" action="/articles/')
  expect((await post()).status).toBe(409)
})

test('a form at fault comes back as it was filled in; code stays words, and nobody passes for another', async () => {
  const { web, hold, post } = await aNewsroom()
  const faulty = await post({ name: ' ', email: 'nobody', text: '{{ x }} <b>resté</b>' })
  expect(faulty.status).toBe(422)
  const page = await faulty.text()
  for (const text of ['name-fault', 'email-fault', 'value="nobody"', '{{ x }} &lt;b&gt;resté&lt;/b&gt;'])
    expect(page).toContain(text)
  expect((await post({ text: 'x'.repeat(10_001) })).status).toBe(422)
  expect((await post({ text: ' <p></p> ' })).status).toBe(422)
  await hold({
    name: 'Nadia\r\nBcc: a@b.example\u202E',
    text: '<script>alert(1)</script><img src="https://p.example/x.png"> {{ 7 | times: 7 }} <a href="https://l.example" onclick="x">lien</a>',
  })
  const [row] = await rowsOf<{ author: string; html: string }>(
    web,
    'select author, html from written_responses',
  )
  expect(row?.author).toBe('Nadia Bcc: a@b.example')
  expect(row?.html).not.toMatch(/<script|<img|onclick/)
  expect(row?.html).toContain('{{ 7 | times: 7 }} <a href="https://l.example/" rel="ugc nofollow">lien</a>')
})

test('mails to one address have the limits and suppressions of activation mail, in all processes; the answer never tells', async () => {
  const { web, services, post, linksTo, press, later } = await aNewsroom()
  const other = await aWeb({ databaseUrl: web.context.config.databaseUrl, hasNewsroom: true })
  const json = (text: string, address = email) =>
    other.fetch('/articles/le-port/responses', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...written, email: address, text }),
    })
  expect((await post({ text: 'un' })).status).toBe(200)
  expect((await post({ text: 'un' })).status).toBe(200)
  for (const text of ['deux', 'trois']) {
    const answer = await json(text)
    expect([answer.status, await answer.json()]).toEqual([202, { status: 'check-your-inbox' }])
  }
  expect(await linksTo(email)).toHaveLength(3)
  expect(await statesOf(web)).toHaveLength(3)

  await services.suppressions.add('gone@reader.example', undefined, cli)
  expect((await json('quatre', 'gone@reader.example')).status).toBe(202)
  expect(await linksTo('gone@reader.example')).toEqual([])
  expect((await post({ email: 'bot@reader.example', website: 'x' })).status).toBe(200)
  expect(await linksTo('bot@reader.example')).toEqual([])

  await post({ email: 'not-me@reader.example' })
  const [mail] = await linksTo('not-me@reader.example')
  expect(await (await press(`${mail?.path}?refuse=1`, 'refuse')).text()).toContain('La réponse est effacée')
  later(2 * day)
  await post({ email: 'not-me@reader.example' })
  expect(await linksTo('not-me@reader.example')).toHaveLength(1)
})

test('addresses stand in one place, and go: unconfirmed after a week, 90 days after the last response, or when erased', async () => {
  const { web, services, hold, post, later } = await aNewsroom()
  await post({ email: 'never@reader.example' })
  await hold()
  later(8 * day)
  await services.upkeep.sweep()
  expect(await statesOf(web)).toEqual(['held'])
  const kept = () =>
    rowsOf(web, `select address from responders union all select address from outbox where kind = 'response'`)
  expect(await kept()).toEqual([{ address: email }, { address: email }])
  later(83 * day)
  await services.upkeep.sweep()
  expect(await kept()).toEqual([])
  expect(await statesOf(web)).toEqual(['held'])

  await hold({ text: 'Encore' })
  const { id } = await aSubscriber(web.context.database, { address: email })
  const api = await web.api('admin')
  const data = (await (await api('GET', `/subscribers/${id}/data`)).json()) as { responses: object[] }
  expect(data.responses).toMatchObject([{ article: 'Le port', html: '<p>Encore</p>', state: 'held' }])
  await services.subscribers.erase(id, cli)
  expect(await kept()).toEqual([])
  expect(await statesOf(web)).toEqual(['held', 'held'])
})

test('on the desk a queue is worked through with two buttons, the next one in focus; the author is told once an hour', async () => {
  const { web, services, sink, hold, later } = await aNewsroom()
  const desk = await signedIn(web, 'editor')
  const admin = await signedIn(web, 'admin')
  const wrong = await admin.post(`/settings/editors/${desk.editorId}/author`, { author: 'personne' })
  expect([wrong.status, (await wrong.text()).includes('value="personne"')]).toEqual([422, true])
  await admin.post(`/settings/editors/${desk.editorId}/author`, { author: 'nadia-belamri' })
  for (const text of ['un', 'deux', 'trois']) await hold({ text, email: `${text}@reader.example` })
  await services.sending.deliverMail()
  const told = () => sink.received.filter(({ to }) => to.some((one) => one.startsWith('editor-'))).length
  expect(told()).toBe(1)
  later(3_600_000)
  await hold({ text: 'quatre', email: 'quatre@reader.example' })
  await services.sending.deliverMail()
  expect(told()).toBe(2)

  expect(await (await desk.get('/')).text()).toContain('4 réponses attendent votre accord.')
  const [last, third] = (await services.writtenResponses.list('held', { limit: 10, after: undefined })).data
  const done = await desk.post(`/responses/${last?.id}`, { do: 'published' })
  const queue = await (
    await desk.get(new URL(done.headers.get('location') ?? '', web.origin).href.slice(web.origin.length + 5))
  ).text()
  expect(queue).toMatch(new RegExp(`id="response-${third?.id}" tabindex="-1" autofocus`))
  expect(queue).not.toContain('trois@reader.example')
  expect(queue).toContain('t•••@reader.example')
  const viewer = await signedIn(web, 'viewer')
  expect((await viewer.post(`/responses/${third?.id}`, { do: 'published' })).status).toBe(403)
})

test('a flood is held, and told to the desk once an hour, not one by one; the same words twice are one', async () => {
  const { web, hold } = await aNewsroom()
  await signedIn(web, 'editor')
  await rowsOf(
    web,
    `insert into written_responses (article_id, kind, guid, author, html, language, state, written_at, held_at)
     select id, 'response', n, 'Lina', n, 'fr', 'held', now(), now() from articles, generate_series(1, 48) n`,
  )
  for (const n of [1, 2, 3, 4]) await hold({ text: `Texte ${n}`, email: `reader-${n}@reader.example` })
  await hold({ text: 'Texte 4', email: 'other@reader.example' })
  expect(await statesOf(web)).toEqual(Array.from({ length: 52 }, () => 'held'))
  const told = await rowsOf(
    web,
    `select payload ->> 'notice' as notice, payload -> 'values' as values from outbox where kind = 'desk-notice'`,
  )
  expect(told).toEqual([{ notice: 'responses_many', values: { count: 50 } }])
})
