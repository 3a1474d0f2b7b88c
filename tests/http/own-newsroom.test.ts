import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCatcher } from '../../src/embedded/catcher/smtp.ts'
import { openMailbox } from '../../src/embedded/catcher/mailbox.ts'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { createTransport } from '../../src/mail/smtp/transport.ts'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber, subscribe } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

async function aSample() {
  const web = await aWeb({ hasNewsroom: true })
  await seedSampleNewsroom(web.context)
  return { web, desk: await signedIn(web, 'admin') }
}

const removed = (web: Web) =>
  rowsOf<{ actor: string; detail: object }>(
    web,
    `select actor, detail from audit where action = 'sample.removed'`,
  )

/** What the mail catcher says to a mail, and what a relay says. */
async function answersOfBoth(): Promise<[string, string]> {
  const directory = mkdtempSync('/var/tmp/depeche-mail-')
  const catcher = createCatcher(openMailbox(directory))
  const server = catcher.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sink = await aSmtpSink()
  onTestFinished(() => {
    catcher.close(() => {
      rmSync(directory, { recursive: true, force: true })
    })
  })
  const { port } = server.address() as AddressInfo
  return [await answerOf(`smtp://127.0.0.1:${port}`), await answerOf(sink.url)]
}

async function answerOf(smtpUrl: string): Promise<string> {
  const transport = createTransport({ smtpUrl, connections: 1 })
  const outcome = await transport.send({
    from: 'desk@rivage.example',
    to: 'nadia@rivage.example',
    envelopeId: undefined,
    message: [Buffer.from('Subject: une\r\n\r\nbonjour\r\n')],
    beforeFinalDot: () => Promise.resolve(true),
  })
  await transport.close()
  return outcome.kind === 'accepted' ? outcome.answer : outcome.kind
}

const wasTaken = (web: Web, answer: string) =>
  rowsOf(
    web,
    `insert into outbox (kind, address, state, smtp_answer) values ('sign-in', 'a@b.example', 'accepted', $1)`,
    [answer],
  )

test('one step removes all that is invented; what is somebody’s own stays, and they stay signed in', async () => {
  const { web, desk } = await aSample()
  const { database, services } = web.context
  await services.feedMemory.start()
  await anArticle(database, { externalId: 'ours', title: 'À nous', sections: ['culture'] })
  const own = await aNewsletter(database, { slug: 'la-notre', name: 'La Nôtre' })
  const [reader] = await rowsOf<{ id: number }>(web, `select id::int from subscribers order by id limit 1`)
  await subscribe(database, reader?.id ?? 0, { newsletter: own })
  await services.digests.listNext('la-notre')
  const visitor = await aSubscriber(database, { address: 'visitor@else.example' })
  const matin = await database.stores.newsletters.getBySlug('le-matin')
  await subscribe(database, visitor.id, { newsletter: matin, state: 'pending' })
  await services.publication.set({ contactEmail: 'redaction@cote.example' }, cli)
  for (const path of ['/rss.xml', '/sections/faits-divers/rss.xml', '/newsletters/le-matin/rss.xml'])
    expect((await web.fetch(path)).status).toBe(200)

  const { subscribers } = await services.sample.get()
  await services.subscribers.erase(visitor.id, cli)
  expect((await services.sample.get()).subscribers).toBe(subscribers - 1)
  const page = await (await desk.get('/settings')).text()
  expect(page).toContain('Le Matin du Rivage')
  expect(page).not.toContain('<li><bdi lang="fr">La Nôtre')
  const refused = await desk.post('/settings/sample', {})
  expect(refused.status).toBe(422)
  expect(await refused.text()).toContain('Cochez la case')
  expect(await removed(web)).toEqual([])

  const done = await desk.post('/settings/sample', { sure: 'yes' })
  expect([done.status, done.headers.get('location')]).toEqual([303, '/desk/?notice=sample-removed'])

  expect(await rowsOf(web, 'select external_id from articles')).toEqual([{ external_id: 'ours' }])
  expect(await rowsOf(web, 'select slug from newsletters')).toEqual([{ slug: 'la-notre' }])
  expect(await rowsOf(web, 'select id::int from subscribers')).toEqual([{ id: reader?.id }])
  expect(await rowsOf(web, `select slug from selections where kind in ('section', 'dossier')`)).toEqual([
    { slug: 'culture' },
  ])
  expect(await rowsOf(web, 'select newsletter_id::int as id, n::int from reader_counts')).toEqual([
    { id: own.id, n: 1 },
  ])
  expect(await services.publication.get()).toMatchObject({
    name: 'Dépêche',
    postalAddress: null,
    contactEmail: 'redaction@cote.example',
  })
  expect(await removed(web)).toMatchObject([
    { actor: `editor:${desk.editorId}`, detail: { articles: 22, newsletters: expect.any(String) as string } },
  ])
  await vi.waitFor(async () => {
    const codes = await Promise.all(
      ['/sections/faits-divers/rss.xml', '/newsletters/le-matin/rss.xml'].map(async (path) => {
        return (await web.fetch(path)).status
      }),
    )
    expect(codes).toEqual([404, 404])
  })
  const feed = await (await web.fetch('/rss.xml')).text()
  expect(feed).toContain('À nous')
  expect(feed.match(/<item>/g)).toHaveLength(1)
  const [draft] = await services.digests.listNext('la-notre')
  expect(draft?.articles.map(({ externalId }) => externalId)).toEqual(['ours'])
  expect((await desk.get('/settings')).status).toBe(200)
  expect(await (await desk.get('/settings')).text()).not.toContain('id="sample"')
})

test('by API: admins alone, once; 404 where nothing is invented', async () => {
  const { web } = await aSample()
  const [editor, admin] = [await web.api('editor'), await web.api('admin')]
  expect((await editor('DELETE', '/sample')).status).toBe(403)
  const here = (await (await admin('GET', '/sample')).json()) as object
  expect(here).toMatchObject({ articles: 22, removable: true })
  expect((await admin('DELETE', '/sample')).status).toBe(204)
  const gone = await admin('DELETE', '/sample')
  expect([gone.status, ((await gone.json()) as { code: string }).code]).toEqual([404, 'no_sample'])
  expect((await admin('GET', '/sample')).status).toBe(404)
})

test('what the mail catcher took has gone nowhere; once a relay has taken any, nothing is removed', async () => {
  const [caught, relayed] = await answersOfBoth()
  const { web, desk } = await aSample()
  await wasTaken(web, caught)
  expect(await (await desk.get('/settings')).text()).toContain('action="/desk/settings/sample"')
  await wasTaken(web, relayed)
  const refused = await (await web.api('admin'))('DELETE', '/sample')
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'sample_mailed'])
  const page = await (await desk.get('/settings')).text()
  expect(page).not.toContain('action="/desk/settings/sample"')
  expect(page).toContain('npm run reset -- --empty')
  expect(await rowsOf(web, 'select id from newsletters')).toHaveLength(3)
})

test('the list of a new newsroom ticks itself, each line leads to a page, and is gone when all is done', async () => {
  const web = await aWeb({ hasNewsroom: true })
  const desk = await signedIn(web, 'admin')
  const read = async () => {
    const page = await (await desk.get('')).text()
    const lines = page.matchAll(/<li class="(done|open)"><span[^>]*>.<\/span> <a href="([^"]+)">/g)
    return [...lines].map(([, state = '', href = '']) => ({ state, href }))
  }
  const undone = async () => (await read()).filter(({ state }) => state === 'open').length
  expect(await undone()).toBe(7)
  for (const { href } of await read()) {
    const { status } = await web.fetch(href, { headers: { cookie: desk.cookie, accept: 'text/html' } })
    expect(status, href).toBe(200)
  }
  const { database, services } = web.context
  await desk.post('/settings/publication', {
    ...{ name: 'Le Courrier', languages: 'ar, fr', zone: 'Europe/Paris', deskName: 'La rédaction' },
    ...{ description: '', postalAddress: '1, quai des Voiles', contactEmail: '', ambiguousPolicy: 'hold' },
  })
  expect(await services.publication.get()).toMatchObject({ languages: ['ar', 'fr'], zone: 'Europe/Paris' })
  expect(await undone()).toBe(6)
  await anArticle(database)
  await aNewsletter(database, { slug: 'le-matin' })
  expect(await undone()).toBe(4)
  await wasTaken(web, '250 OK')
  await services.editors.add({ email: 'nadia@rivage.example', role: 'editor' }, cli)
  expect(await undone()).toBe(2)
  const signup = { email: 'a@reader.example', newsletters: ['le-matin'], form: 'embed' }
  const json = { 'content-type': 'application/json' }
  await web.fetch('/subscribe', { method: 'POST', headers: json, body: JSON.stringify(signup) })
  expect(await undone()).toBe(1)
  await rowsOf(
    web,
    `insert into outbox (kind, address, state) values ('digest-test', 'a@b.example', 'accepted')`,
  )
  expect(await read()).toEqual([])
  const editor = await signedIn(web, 'editor')
  expect(await (await editor.get('')).text()).not.toContain('class="setup"')
})

test('a language or a time zone that is none comes back with a sentence at its field', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'admin')
  const form = { name: 'Le Rivage', description: '', deskName: 'La rédaction', postalAddress: '' }
  const rest = { ...form, contactEmail: '', ambiguousPolicy: 'hold' }
  const refused = await desk.post('/settings/publication', { ...rest, languages: 'français', zone: 'Paris' })
  expect(refused.status).toBe(422)
  const page = await refused.text()
  expect(page).toContain('id="languages-fault"')
  expect(page).toContain('id="zone-fault"')
  expect(page).toContain('value="français"')
  // Estonian is a language, but nobody meant it.
  for (const [languages, status] of [
    ['fr et ar', 422],
    ['fr, ar, fr', 422],
    ['fr, xx', 422],
    // Articles can be ar-DZ alone.
    ['fr, ar-dz', 422],
    ['fr, ar-DZ', 303],
    ['fr, ar', 303],
  ] as const)
    expect(
      (await desk.post('/settings/publication', { ...rest, languages, zone: 'Africa/Algiers' })).status,
    ).toBe(status)
})

test('a language that there is not is refused; of three letters, and one that is set already, nobody judges', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const problem = await call('PATCH', '/publication', { languages: ['fr', 'xx', 'yy-DZ', 'ber', 'sr-Latn'] })
  expect([problem.status, await problem.json()]).toMatchObject([
    422,
    {
      code: 'invalid_input',
      errors: ['xx', 'yy-DZ'].map((tag) => ({
        field: 'languages',
        message: `no language has the code ${tag}`,
      })),
    },
  ])
  await rowsOf(web, `update publication set languages = '{fr,xx}'`)
  expect((await call('PATCH', '/publication', { languages: ['fr', 'xx', 'ber'] })).status).toBe(200)
})
