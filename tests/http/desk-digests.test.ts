import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { query } from '../support/query.ts'
import { recordStatements } from '../support/statements.ts'
import { aWeb } from '../support/web.ts'

/** A draft of one story, and a story too old to come in by itself. */
async function aDraft(change: Parameters<typeof aNewsletter>[1] = {}) {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database, change)
  await anArticle(database, { externalId: 'phare', title: 'Le phare se rallume' })
  await anArticle(database, {
    externalId: 'digue',
    title: 'La digue de 1953, 100 % refaite',
    firstPublicAt: new Date(Date.now() - 30 * 86_400_000),
  })
  await aSubscriber(database, { newsletter })
  const { id, version } = await services.digests.compose(
    newsletter.slug,
    { cadence: 'daily' },
    { kind: 'cli', role: 'admin' },
  )
  const desk = await signedIn(web, 'editor')
  return { desk, id, version: String(version), path: `/digests/${id}`, digests: services.digests, web }
}

const noticeOf = (response: Response) =>
  new URL(response.headers.get('location') ?? '', 'http://desk').searchParams.get('notice')

test('texts written beside a digest that changed are kept in the form, and nothing is saved', async () => {
  const { desk, id, version, path, digests, web } = await aDraft()
  await anArticle(web.context.database, { externalId: 'fanfare', title: 'La fanfare répète' })
  await digests.get(id)
  const typed = { subject: 'Mon objet', preheader: 'Ma ligne', intro: 'Mon mot <i>' }
  const refused = await desk.post(`${path}/texts`, { ...typed, version })
  expect(refused.status).toBe(409)
  const page = await refused.text()
  for (const text of ['Mon objet', 'Ma ligne', 'Mon mot &lt;i&gt;', 'pas encore enregistrés'])
    expect(page).toContain(text)
  expect((await digests.get(id)).intro).toBe('')
  const order = await desk.post(`${path}/order`, { order: 'phare,fanfare', version })
  expect([order.status, await order.text()]).toEqual([409, expect.stringContaining('rien n’a été fait')])

  const shown = /name="version" value="(\d+)"/.exec(page)?.[1] ?? ''
  expect(noticeOf(await desk.post(`${path}/texts`, { ...typed, version: shown }))).toBe('saved')
  expect(await digests.get(id)).toMatchObject({ subject: 'Mon objet', intro: 'Mon mot <i>' })
})

test('who changed a digest last is told that somebody else approves it; then no list fills up any more', async () => {
  const { desk, version, path, web } = await aDraft({ approval: 'four-eyes' })
  const read = async (who: typeof desk) => (await who.get(path)).text()
  expect(await read(desk)).toContain('/approve"')
  await desk.post(`${path}/texts`, { subject: 'Mon objet', preheader: '', intro: '', version })
  expect(await read(desk)).not.toContain('/approve"')
  expect(await read(desk)).toContain('Vous avez changé cet envoi en dernier')
  const other = await signedIn(web, 'editor')
  expect(await read(other)).toContain('/approve"')
  expect(await read(other)).toContain('La liste se remplit')
  const shown = /name="version" value="(\d+)"/.exec(await read(other))?.[1] ?? ''
  await other.post(`${path}/approve`, { version: shown })
  expect(await read(other)).toContain('Contenu figé')
  expect(await read(other)).not.toContain('La liste se remplit')
})

test('who may only look is offered a look, and reads of no draft that it is frozen', async () => {
  const { desk, path, web } = await aDraft()
  const viewer = await signedIn(web, 'viewer')
  const read = async (who: typeof desk, page: string) => (await who.get(page)).text()
  expect(await read(viewer, path)).not.toContain('Contenu figé')
  expect(await read(viewer, '/')).toContain('Ouvrir le brouillon')
  expect(await read(viewer, '/')).not.toContain('Relire et envoyer')
  expect(await read(desk, '/')).toContain('Relire et envoyer')
  await desk.post(`${path}/cancel`, {})
  expect(await read(viewer, path)).toContain('Contenu figé')
})

test('where there are no digests it is said in a sentence, and not in a list of one', async () => {
  const desk = await signedIn(await aWeb(), 'editor')
  const page = await (await desk.get('/digests')).text()
  expect(page).toContain('<p>Aucun envoi ici.</p>')
  expect(page).not.toContain('<ul class="lines">')
})

test('a draft with stories and nobody to get it says so where the button would be, and may be scheduled', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database)
  await anArticle(database)
  const { id } = await services.digests.compose(
    newsletter.slug,
    { cadence: 'daily' },
    { kind: 'cli', role: 'admin' },
  )
  const desk = await signedIn(web, 'editor')
  const show = async () => (await desk.get(`/digests/${id}`)).text()
  const before = await show()
  expect(before).toContain('Personne ne le recevrait pour l’instant')
  expect(before).not.toContain(`action="/desk/digests/${id}/send"`)
  expect(before).toContain(`action="/desk/digests/${id}/schedule"`)
  expect(await (await desk.get('')).text()).toContain('Ouvrir le brouillon')
  await aSubscriber(database, { newsletter })
  const after = await show()
  expect(after).not.toContain('Personne ne le recevrait')
  expect(after).toContain(`action="/desk/digests/${id}/send"`)
})

test('a story is found by words of its title and added', async () => {
  const { desk, id, path, version, digests } = await aDraft()
  const found = await (await desk.get(`${path}?find=${encodeURIComponent('100 % DIGUE')}`)).text()
  expect(found).toContain('value="digue"')
  expect(await (await desk.get(`${path}?find=phare`)).text()).toContain('Aucun article publié')
  await desk.post(`${path}/stories`, { article: 'digue', do: 'pin', version })
  const order = async () => (await digests.get(id)).articles.map((article) => article.externalId)
  expect(await order()).toEqual(['digue', 'phare'])
  const now = String((await digests.get(id)).version)
  const moved = await desk.post(`${path}/stories`, { article: 'phare', do: 'top', version: now })
  expect(await order()).toEqual(['phare', 'digue'])
  const shown = await (await desk.get((moved.headers.get('location') ?? '').replace('/desk', ''))).text()
  expect(shown).toMatch(/Le phare se rallume\S?\s»\s: 1 sur 2/)
  expect(shown.match(/value="\w+"[^>]* autofocus/g)).toEqual([expect.stringMatching(/^value="down".*phare/)])
})

test('what was excluded is shown by its title, and a draft is dropped rather than stopped', async () => {
  const { desk, path, version } = await aDraft()
  expect(await (await desk.get(path)).text()).toContain('Abandonner…')
  await desk.post(`${path}/stories`, { article: 'phare', do: 'exclude', version })
  const page = await (await desk.get(path)).text()
  expect(page).toMatch(/<bdi lang="fr">Le phare se rallume<\/bdi> <button[^>]* value="admit"/)
  expect(page).not.toContain('Annuler l’envoi')
})

test('a story that was added by hand and excluded is put back, and its button keeps the focus', async () => {
  const { desk, path, id, digests } = await aDraft()
  const step = async (what: string) => {
    const version = String((await digests.get(id)).version)
    const answer = await desk.post(`${path}/stories`, { article: 'digue', do: what, version })
    return (await desk.get((answer.headers.get('location') ?? '').replace('/desk', ''))).text()
  }
  const order = async () => (await digests.get(id)).articles.map((article) => article.externalId)
  await step('pin')
  expect(await step('exclude')).toMatch(/value="admit" autofocus[^>]*digue/)
  expect(await order()).toEqual(['phare'])
  expect(await step('admit')).toMatch(/value="exclude" autofocus[^>]*digue/)
  expect(await order()).toContain('digue')
})

test('a digest is scheduled at the time of the newsletter’s zone, by what was looked at', async () => {
  const { desk, id, version, path, digests } = await aDraft()
  const stale = { sendAt: '2031-07-01T09:30', version: String(Number(version) + 1) }
  expect(noticeOf(await desk.post(`${path}/schedule`, stale))).toBe('digest-changed')
  expect(noticeOf(await desk.post(`${path}/schedule`, { ...stale, version }))).toBe('digest-scheduled')
  const scheduled = await digests.get(id)
  // Algiers is an hour ahead of UTC all year.
  expect(scheduled).toMatchObject({ state: 'scheduled', sendAt: '2031-07-01T08:30:00.000Z' })
  const past = { sendAt: '2020-01-01T07:00', version: String(scheduled.version) }
  expect((await desk.post(`${path}/schedule`, past)).status).toBe(422)
  const page = await (await desk.get(path)).text()
  expect(page).toContain('value="2031-07-01T09:30"')
  // To send is what the page is for.
  expect(page).toContain('<button class="quiet">Pause</button>')
})

test.each(['up', 'down', 'pin', 'exclude'])(
  'two editors at once: %s on a list that has changed is answered by the list as it is, and nothing is undone',
  async (step) => {
    const { desk, id, path, digests, web } = await aDraft()
    await anArticle(web.context.database, { externalId: 'fanfare', title: 'La fanfare répète' })
    const seen = await digests.get(id)
    const version = String(seen.version)
    const colleague = await signedIn(web, 'editor')
    const mine = () => desk.post(`${path}/stories`, { article: 'phare', do: step, version })
    const theirs = () => colleague.post(`${path}/stories`, { article: 'fanfare', do: 'pin', version })
    const answers = await Promise.all([mine(), theirs()])
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409])
    const page = await answers.find(({ status }) => status === 409)?.text()
    expect(page).toContain('rien n’a été fait')
    // The page that refuses is the one to go on from.
    const now = await digests.get(id)
    const again = {
      article: 'fanfare',
      do: 'pin',
      version: /name="version" value="(\d+)"/.exec(page ?? '')?.[1] ?? '',
    }
    expect(again.version).toBe(String(now.version))
    expect((await colleague.post(`${path}/stories`, again)).status).toBe(303)
    const after = await digests.get(id)
    expect(after.articles.find(({ externalId }) => externalId === 'fanfare')?.pinned).toBe(true)
  },
)

test('a form without the version it shows is refused', async () => {
  const { desk, path } = await aDraft()
  expect((await desk.post(`${path}/stories`, { article: 'phare', do: 'pin' })).status).toBe(422)
})

test('a notice is shown while it is true of the digest, however often the page is loaded', async () => {
  const { desk, id, path, web } = await aDraft()
  const said = async (state: string, notice: string) => {
    await query(web.context.config.databaseUrl, `update digests set state = '${state}' where id = ${id}`)
    const page = await (await desk.get(`${path}?notice=${notice}`)).text()
    return /<p class="notice" role="status" tabindex="-1" autofocus>(.*?)<\/p>/.exec(page)?.[1]
  }
  expect(await said('sending', 'digest-sent')).toBe('C’est parti. Vous pouvez encore arrêter.')
  expect(await said('completed', 'digest-sent')).toBeUndefined()
  expect(await said('paused', 'digest-sent')).toBeUndefined()
  expect(await said('paused', 'digest-pause')).toBe('En pause.')
  expect(await said('sending', 'digest-pause')).toBeUndefined()
  for (const notice of ['constructor', 'unheard-of'])
    expect((await desk.get(`${path}?notice=${notice}`)).status, notice).toBe(200)
  expect(await said('completed', 'digest-tested')).toContain('L’essai')
})

test('while readers are gathered nobody is counted: not zero of zero', async () => {
  const { desk, id, version, path, web } = await aDraft()
  await desk.post(`${path}/send`, { version, key: 'one-click' })
  const gathering = await (await desk.get(path)).text()
  expect(gathering).toContain('Les destinataires ne sont pas encore réunis.')
  expect(gathering).toContain('data-events')
  expect(gathering).not.toContain('data-count')
  await web.context.services.preparing.prepare(id)
  expect(await (await desk.get(path)).text()).toContain('data-count="pending"')
})

test('a digest that was cancelled while its readers were gathered counts nobody', async () => {
  const { desk, version, path } = await aDraft()
  await desk.post(`${path}/send`, { version, key: 'one-click' })
  await desk.post(`${path}/cancel`, {})
  const page = await (await desk.get(path)).text()
  expect(page).toContain('class="chip cancelled"')
  expect(page).not.toContain('class="progress"')
})

test('a digest paused past its time asks before it goes on', async () => {
  const { desk, id, version, path, digests, web } = await aDraft()
  await desk.post(`${path}/send`, { version, key: 'one-click' })
  await web.context.services.preparing.prepare(id)
  await desk.post(`${path}/pause`, {})
  await query(web.context.config.databaseUrl, `update digests set expires_at = now() - interval '1 hour'`)
  const page = await (await desk.get(path)).text()
  expect(page).toContain('plus personne ne le recevrait')
  expect((await desk.post(`${path}/resume`, {})).status).toBe(409)
  expect((await digests.get(id)).state).toBe('paused')
  expect(noticeOf(await desk.post(`${path}/resume`, { extend: 'yes' }))).toBe('digest-resume')
  const resumed = await digests.get(id)
  expect(resumed.state).toBe('sending')
  expect(Date.parse(resumed.expiresAt ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000)
})

test('a story is found whatever the accents, the case and the vowel signs of what was typed', async () => {
  const { database } = (await aWeb()).context
  await anArticle(database, { externalId: 'coeur', title: 'L’Été au CŒUR de la Médina' })
  await anArticle(database, { externalId: 'bahr', language: 'ar', title: 'أُمسيةٌ إلى البَحر في مرســى الصفا' })
  const find = async (language: string, words: string) =>
    (await database.stores.digestArticles.listByTitle(words, { language, except: [] })).map(
      ({ externalId }) => externalId,
    )
  for (const words of ['ete', 'ÉTÉ medina', 'coeur', 'Cœur méd'])
    expect(await find('fr', words), words).toEqual(['coeur'])
  for (const words of ['امسية', 'الى البحر', 'مرسى', 'مَرسي أمسية'])
    expect(await find('ar', words), words).toEqual(['bahr'])
  expect(await find('fr', 'hiver')).toEqual([])
})

test('the page of a digest computes its readers once, a step of a story twice', async () => {
  const { desk, path, version } = await aDraft()
  const statements = recordStatements()
  const count = () => {
    const [all, audiences] = [statements.length, statements.filter((text) => text.includes('left_over'))]
    statements.length = 0
    return { all, audiences: audiences.length }
  }
  expect((await desk.get(path)).status).toBe(200)
  const shown = count()
  expect((await desk.post(`${path}/stories`, { article: 'digue', do: 'pin', version })).status).toBe(303)
  const moved = count()
  expect([shown.audiences, moved.audiences]).toEqual([1, 2])
})
