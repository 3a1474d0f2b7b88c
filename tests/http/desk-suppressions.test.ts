import { expect, test } from 'vitest'
import { findAddress, hashAddress } from '../../src/domain/subscribers/address.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber, testKeyring } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

async function bar(web: Web, email: string, reason: 'complained' | 'erased') {
  const hashes = hashAddress(testKeyring, findAddress(email) ?? { text: email })
  await web.context.database.stores.suppressions.put(hashes, { reason })
}

const idsOf = (web: Web) =>
  rowsOf<{ id: number; reason: string }>(web, 'select id, reason from suppressions order by id')

test('the list says whom, why, since when and by whom; an address is named only while a subscriber has it', async () => {
  const web = await aWeb()
  const newsletter = await aNewsletter(web.context.database)
  const editor = await signedIn(web, 'editor')
  const { id } = await aSubscriber(web.context.database, { address: 'amina@reader.example', newsletter })
  await editor.post(`/subscribers/${id}/suppress`, { detail: 'by <letter>' })
  await bar(web, 'nobody@reader.example', 'complained')
  const html = await (await (await signedIn(web, 'viewer')).get('/suppressions')).text()
  expect(html).toContain('amina@reader.example')
  expect(html).toContain('by &lt;letter&gt;')
  expect(html).toMatch(/<bdi>editor-[0-9a-f]{8}@rivage\.example/)
  expect(html).toContain('plainte')
  expect(html).not.toContain('nobody@reader.example')
  expect(html).not.toContain('/lift')
  expect(await (await editor.get('/subscribers')).text()).toContain('href="/desk/suppressions"')
})

test('what a machine wrote down stays out of the list, but for the number of an import and the code of a server', async () => {
  const web = await aWeb()
  const details = {
    'a@reader.example': 'dead 5.1.1',
    'b@reader.example': 'import 2',
    'c@reader.example': 'full',
  }
  for (const [email, detail] of Object.entries(details)) {
    const hashes = hashAddress(testKeyring, findAddress(email) ?? { text: email })
    await web.context.database.stores.suppressions.put(hashes, { reason: 'bounced', detail })
  }
  const html = await (await (await signedIn(web, 'viewer')).get('/suppressions')).text()
  const said = [...html.matchAll(/<td>adresse morte(.*?)<\/td>/g)].map(([, words = '']) => words)
  expect(said.map((words) => words.replace(/<[^<>]*>/g, '').trim()).sort()).toEqual(['', '5.1.1', 'Import 2'])
})

test('the whole address finds it, however written; a part finds nothing, and nothing is echoed unescaped', async () => {
  const web = await aWeb()
  await bar(web, 'nobody@reader.example', 'complained')
  const viewer = await signedIn(web, 'viewer')
  const find = async (q: string) => (await viewer.get(`/suppressions?q=${encodeURIComponent(q)}`)).text()
  expect(await find(' NoBody@Reader.Example ')).toContain('plainte')
  for (const q of ['nobody', 'other@reader.example', '"><script>']) {
    const html = await find(q)
    expect(html).toContain('n’est pas interdite')
    expect(html).not.toContain('plainte')
    expect(html).not.toContain('"><script>')
  }
})

test('pages follow each other by id', async () => {
  const web = await aWeb()
  for (let n = 0; n < 51; n++) await bar(web, `barred-${n}@reader.example`, 'complained')
  const admin = await signedIn(web, 'admin')
  const idsIn = (html: string) => [...html.matchAll(/suppressions\/(\d+)\/lift/g)].map(([, id]) => id)
  const first = await (await admin.get('/suppressions')).text()
  const next = /suppressions(\?cursor=[\w-]+)/.exec(first)?.[1] ?? ''
  const second = await (await admin.get(`/suppressions${next}`)).text()
  expect([idsIn(first).length, idsIn(second).length]).toEqual([50, 1])
  expect(new Set([...idsIn(first), ...idsIn(second)]).size).toBe(51)
  expect(second).not.toMatch(/href="[^"]*\?cursor=/)
})

test('an admin lifts, an editor does not, and nobody lifts an erasure', async () => {
  const web = await aWeb()
  await bar(web, 'complained@reader.example', 'complained')
  await bar(web, 'erased@reader.example', 'erased')
  const [complained, erased] = await idsOf(web)
  const editor = await signedIn(web, 'editor')
  expect((await editor.post(`/suppressions/${complained?.id}/lift`, {})).status).toBe(403)
  const admin = await signedIn(web, 'admin')
  const html = await (await admin.get('/suppressions')).text()
  expect(html).toContain(`suppressions/${complained?.id}/lift`)
  expect(html).not.toContain(`suppressions/${erased?.id}/lift`)
  const done = await admin.post(`/suppressions/${complained?.id}/lift`, {})
  expect([done.status, done.headers.get('location')]).toEqual([
    303,
    '/desk/suppressions?notice=suppression-lifted',
  ])
  expect((await admin.post(`/suppressions/${complained?.id}/lift`, {})).status).toBe(404)
  expect((await admin.post(`/suppressions/${erased?.id}/lift`, {})).status).toBe(409)
  const api = await web.api('admin')
  const refused = await api('DELETE', '/suppressions', { email: 'erased@reader.example' })
  expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'erased_stays' }])
  expect(await idsOf(web)).toEqual([erased])
  expect(await rowsOf(web, "select actor from audit where action = 'suppression.remove'")).toEqual([
    { actor: `editor:${admin.editorId}` },
  ])
})
