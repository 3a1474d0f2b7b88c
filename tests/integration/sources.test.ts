import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { aFollowedSite } from '../support/sources.ts'
import { aWeb } from '../support/web.ts'
import { aWordpress, type FakeWordpress } from '../support/wordpress.ts'

const hour = 3600
const reads = (wordpress: FakeWordpress) => wordpress.requests.filter((path) => path.includes('_embed'))

test('SRC-4 what a site publishes is an article here, in the feed, with its own address', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => wordpress.add({ title: 'Le phare &#038; la mer' }),
  })
  expect(await site.titles()).toEqual({ 'Le phare & la mer': 'published' })
  await site.render()
  const rss = await (await site.fetch('/rss.xml')).text()
  expect(rss).toContain('Le phare &#x26; la mer')
  const [article] = await site.sql<{ external_id: string }>('select * from articles')
  const [post] = site.wordpress.posts.values()
  expect(article).toMatchObject({
    external_id: expect.stringMatching(/^wp:127\.0\.0\.1:\d+:1$/) as string,
    guid: `${site.wordpress.home}/?p=1`,
    canonical_url: post && site.wordpress.linkOf(post),
    slug: 'article-1',
    remote_rank: 3,
  })
  const found = await site.context.services.articles.find(article?.external_id ?? '')
  expect(found?.owner).toEqual({ id: site.sourceId, name: expect.any(String) as string })
  expect(site.wordpress.agents).toEqual(new Set([`Depeche (+${site.origin})`]))
})

test('SRC-4 an older WordPress, which says nothing of its front page, is followed by its API', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      wordpress.frontPage = undefined
      wordpress.add()
    },
  })
  expect(await site.look()).toMatchObject({ kind: 'wordpress', state: 'following', counts: { here: 1 } })
})

test("SRC-4 a post's whole life: published, corrected once, trashed, back again, protected, deleted", async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      for (const n of [1, 2, 3, 4, 5, 6]) wordpress.add({ title: `Ancien ${n}` })
    },
  })
  const { wordpress } = site
  const stateOf = async () => (await site.titles())['Le bac']
  wordpress.later(hour)
  const { id } = wordpress.add({ title: 'Le bac', status: 'draft' })
  await site.look()
  expect(await stateOf()).toBeUndefined()
  wordpress.edit(id, { status: 'publish', date: wordpress.now })
  await site.look()
  expect(await stateOf()).toBe('published')

  wordpress.later(60)
  wordpress.edit(id, { html: '<p>Le bac repart à midi.</p>' })
  await site.look()
  const [corrected] = await site.sql<{ html: string; updated_at: Date }>(
    `select html, updated_at from articles where title = 'Le bac'`,
  )
  expect(corrected?.html).toContain('repart à midi')
  wordpress.requests = []
  await site.look()
  expect(reads(wordpress)).toEqual([])
  expect(await site.sql(`select updated_at from articles where title = 'Le bac'`)).toEqual([
    { updated_at: corrected?.updated_at },
  ])

  for (const leave of [
    () => {
      wordpress.turn(id, 'trash')
    },
    () => {
      wordpress.turn(id, 'private')
    },
    () => {
      wordpress.turn(id, 'draft')
    },
    () => {
      wordpress.remove(id)
    },
  ]) {
    const kept = { ...wordpress.posts.get(id) }
    leave()
    await site.look()
    // Once is an accident of a cache.
    expect(await stateOf()).toBe('published')
    await site.look()
    expect(await stateOf()).toBe('published')
    await site.waitAMinute()
    await site.look()
    expect(await stateOf()).toBe('withdrawn')
    wordpress.posts.set(id, { ...kept, status: 'publish' } as never)
    await site.look()
    expect(await stateOf()).toBe('published')
  }

  wordpress.edit(id, { password: 'secret' })
  await site.look()
  expect(await stateOf()).toBe('withdrawn')
  wordpress.edit(id, { password: '' })
  const view = await site.look()
  expect(await stateOf()).toBe('published')
  expect(view).toMatchObject({ state: 'following', counts: { here: 7, missing: 0, withdrawn: 0 } })
})

test('SRC-4 what the desk withdrew stays so, and what the desk corrected keeps its words until they are given back', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add({ title: 'Le quai' }) })
  const { articles } = site.context.services
  const [row] = await site.sql<{ external_id: string }>('select external_id from articles')
  const id = row?.external_id ?? ''
  const desk = { kind: 'cli', role: 'admin' } as const
  await articles.put(id, { title: 'Le quai, corrigé', html: '<p>Ici.</p>', language: 'fr' })
  site.wordpress.later(60)
  site.wordpress.edit(1, { title: 'Le quai, là-bas' })
  expect(await site.look()).toMatchObject({ counts: { held: 1 } })
  expect(await site.titles()).toEqual({ 'Le quai, corrigé': 'published' })
  await articles.release(id, desk)
  await site.look()
  expect(await site.titles()).toEqual({ 'Le quai, là-bas': 'published' })

  await articles.withdraw(id, 'Erreur.', desk)
  site.wordpress.later(60)
  site.wordpress.edit(1, { title: 'Le quai, encore' })
  await site.look()
  expect(await site.titles()).toEqual({ 'Le quai, encore': 'withdrawn' })
})

test('SRC-4 a scheduled post that goes out late, and one that is dated back, arrive though nothing says they changed', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      for (let n = 0; n < 12; n += 1) wordpress.add()
    },
  })
  const { wordpress } = site
  const due = new Date(wordpress.now.getTime() + hour * 1000)
  wordpress.add({ title: 'Programmé', status: 'future', date: due, modified: new Date(+due - 86_400_000) })
  wordpress.later(3 * hour)
  wordpress.runCron()
  await site.look()
  expect(await site.titles()).toMatchObject({ Programmé: 'published' })
  const [row] = await site.sql<{ first_public_at: Date; published_at: Date }>(
    `select first_public_at, published_at from articles where title = 'Programmé'`,
  )
  // Its date has passed; it is news all the same.
  expect(row?.published_at).toEqual(new Date(Math.floor(+due / 1000) * 1000))
  expect(Math.abs(Date.now() - Number(row?.first_public_at))).toBeLessThan(60_000)
  wordpress.add({ title: 'Antidaté', date: new Date('2019-05-01T08:00:00Z') })
  await site.look()
  expect(await site.titles()).toMatchObject({ Antidaté: 'published' })
  expect(await site.sql(`select first_public_at from articles where title = 'Antidaté'`)).toEqual([
    { first_public_at: new Date('2019-05-01T08:00:00Z') },
  ])
})

test('SRC-4 five hundred posts of one second, and a backfill that nobody takes for news', async () => {
  const date = new Date('2025-03-01T07:00:00Z')
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      for (let n = 0; n < 500; n += 1) wordpress.add({ date })
    },
  })
  expect(await site.sql('select count(*)::int as n, max(first_public_at) as at from articles')).toEqual([
    { n: 500, at: date },
  ])
  const saved = new Date(site.wordpress.now)
  site.wordpress.later(60)
  for (let id = 1; id <= 120; id += 1) site.wordpress.edit(id, { title: `Refait ${id}`, modified: saved })
  await site.look()
  expect(await site.sql(`select count(*)::int as n from articles where title like 'Refait %'`)).toEqual([
    { n: 120 },
  ])
})

test('SRC-4 a site that answers slowly is left alone for as long before it is asked for more', async () => {
  const site = await aFollowedSite()
  const { wordpress } = site
  for (let n = 0; n < 20; n += 1) wordpress.add()
  const texts: { askedAt: number; answeredAt: number }[] = []
  wordpress.onRequest = async (path) => {
    if (!path.includes('_embed')) return
    const askedAt = performance.now()
    if (texts.length === 0) await delay(1_000)
    texts.push({ askedAt, answeredAt: performance.now() })
  }
  await site.look()
  const [slow, next] = texts
  if (!slow || !next) throw new Error('twenty posts are read at twice')
  // Timers may be early by one.
  expect(next.askedAt - slow.answeredAt).toBeGreaterThan(slow.answeredAt - slow.askedAt - 2)
})

test('SRC-4 of the posts of one second as many as an address holds are asked for at once, the others at night', async () => {
  let now = new Date()
  const site = await aFollowedSite({ web: { now: () => now } })
  const { wordpress, sourceId } = site
  const date = new Date('2025-03-01T07:00:00Z')
  for (let id = 10_000_001; id <= 10_000_850; id += 1) wordpress.add({ id, date })
  // All but one are known.
  await site.sql(
    `insert into source_items (source_id, remote_id, title, state, modified_at)
     select $1, id, 'Connu', 'skipped', $2 from generate_series(10000001, 10000850) as id where id <> 10000150`,
    [sourceId, date],
  )
  wordpress.requests = []
  await site.look()
  expect(Math.max(...wordpress.requests.map((path) => path.length))).toBeLessThan(6_500)
  expect(wordpress.requests.length).toBeLessThan(15)
  expect(await site.titles()).toEqual({})
  now = new Date('2027-01-02T01:30:00Z')
  await site.look()
  expect(await site.titles()).toEqual({ 'Article 10000150': 'published' })
})

test('SRC-4 a WordPress that does not know the time of a change is asked for its oldest some times, not for ever', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      wordpress.unknown = ['modified_after']
      for (let n = 0; n < 110; n += 1)
        wordpress.add({ date: new Date(+wordpress.now - (110 - n) * 86_400_000) })
    },
  })
  const { wordpress } = site
  expect(Object.keys(await site.titles())).toHaveLength(110)
  wordpress.add({ title: 'Tout de suite' })
  wordpress.requests = []
  await site.look()
  expect(wordpress.requests.filter((path) => path.includes('orderby=modified')).length).toBeLessThan(5)
  expect(await site.titles()).toMatchObject({ 'Tout de suite': 'published' })
})

test('SRC-4 what says nothing of its last change, or is not shown any more, is not read again at every look', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      wordpress.tellsChanges = false
      wordpress.add()
      wordpress.add({ title: 'Caché', password: 'secret' })
    },
  })
  const { wordpress } = site
  wordpress.requests = []
  await site.look()
  expect(reads(wordpress)).toEqual([])
  // Both are to be read again, and one has gone.
  wordpress.remove(2)
  await site.sql('update source_items set modified_at = null')
  await site.look()
  const [first, second] = [reads(wordpress).length, (await site.look(), reads(wordpress).length)]
  expect(first).toBeGreaterThan(0)
  expect(second).toBe(first)
})

test('SRC-4 what is saved once more in the second in which it was read is seen, and then not read at every look', async () => {
  const wordpress = await aWordpress()
  const clock = { now: () => wordpress.now }
  const site = await aFollowedSite({
    wordpress,
    web: clock,
    prepare: () => wordpress.add({ title: 'Le bac' }),
  })
  wordpress.later(hour)
  wordpress.edit(1, { title: 'Le bac de midi' })
  await site.look({ isRung: true })
  // As a plugin does when a post is saved.
  wordpress.edit(1, { slug: 'le-bac-de-midi' })
  wordpress.later(60)
  await site.look()
  const [article] = await site.sql('select title, slug from articles')
  expect(article).toEqual({ title: 'Le bac de midi', slug: 'le-bac-de-midi' })
  wordpress.requests = []
  await site.look()
  expect(reads(wordpress)).toEqual([])
})

test('SRC-4 what is older than a later beginning is not taken for gone', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      for (let n = 1; n <= 30; n += 1)
        wordpress.add({ date: new Date(+wordpress.now - (31 - n) * 86_400_000) })
    },
  })
  const { sources } = site.context.services
  const since = new Date(+site.wordpress.now - 10 * 86_400_000).toISOString()
  await sources.change(site.sourceId, { since }, { kind: 'cli', role: 'admin' })
  await site.look()
  await site.waitAMinute()
  expect(await site.look()).toMatchObject({ state: 'following', counts: { here: 30, missing: 0 } })
})

test('SRC-4 what is saved in the hour that comes twice in autumn is seen', async () => {
  // 2026-10-25, 03:00 in Paris is 02:00 again: 00:59 and 01:30 UTC are 02:59 and 02:30.
  const wordpress = await aWordpress({ now: new Date('2026-10-25T00:59:00Z') })
  const site = await aFollowedSite({ wordpress, prepare: (site) => site.add({ title: 'Avant' }) })
  wordpress.later(31 * 60)
  wordpress.edit(1, { title: 'Après' })
  await site.look()
  expect(await site.titles()).toEqual({ Après: 'published' })
})

test('SRC-4 a site goes to a zone further west while much is edited: none of it is passed over', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add() })
  const { wordpress } = site
  const old = new Date('2024-05-01T08:00:00Z')
  for (let n = 0; n < 300; n += 1) {
    if (n % 20 === 0) wordpress.later(1)
    wordpress.add({ id: 1_000 + (n % 150) * 2 + (n < 150 ? 0 : 1), date: old, modified: wordpress.now })
  }
  for (let n = 0; n < 100; n += 1) wordpress.add({ date: new Date(+old + 1_000) })
  wordpress.setZone('America/Martinique')
  await site.look()
  expect(Object.keys(await site.titles())).toHaveLength(401)
})

test('SRC-4 all posts vanish: nothing is withdrawn, a person is asked, and the answer is done', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      for (let n = 0; n < 100; n += 1) wordpress.add()
    },
  })
  const { wordpress, sourceId } = site
  const { sources, editors } = site.context.services
  const desk = { kind: 'cli', role: 'admin' } as const
  const withdrawn = async () => {
    const [row] = await site.sql<{ n: number }>(
      `select count(*)::int as n from articles where state = 'withdrawn'`,
    )
    return row?.n
  }
  await editors.add({ email: 'nadia@rivage.example', role: 'editor' }, desk)
  const notices = () =>
    site.sql(
      `select payload->>'notice' as notice, count(*)::int as n from outbox where kind = 'desk-notice' group by 1`,
    )
  wordpress.showsAll = false
  await site.look()
  await site.waitAMinute()
  expect(await site.look()).toMatchObject({
    state: 'needs-person',
    question: 'many',
    counts: { missing: 100 },
  })
  expect(await withdrawn()).toBe(0)
  expect(await notices()).toEqual([{ notice: 'source_asks', n: 1 }])
  // It was an accident: the question goes away by itself.
  wordpress.showsAll = true
  expect(await site.look()).toMatchObject({ state: 'following', counts: { missing: 0 } })

  for (let id = 1; id <= 3; id += 1) wordpress.turn(id, 'trash')
  await site.look()
  await site.waitAMinute()
  expect(await site.look()).toMatchObject({ state: 'needs-person', counts: { missing: 3 } })
  wordpress.add({ title: 'Pendant ce temps' })
  await site.look()
  expect(await site.titles()).toMatchObject({ 'Pendant ce temps': 'published' })
  await sources.answer(sourceId, 'withdraw', desk)
  expect(await withdrawn()).toBe(3)
  expect(await sources.restore(sourceId, undefined, desk)).toBe(3)
  expect(await withdrawn()).toBe(0)
  await site.look()
  await site.waitAMinute()
  expect(await site.look()).toMatchObject({ state: 'following' })
  expect(await withdrawn()).toBe(0)
  expect(await notices()).toEqual([{ notice: 'source_asks', n: 1 }])
})

test('SRC-4 something is gone and the front page has changed: a person is asked, for one article too', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      for (let n = 0; n < 30; n += 1) wordpress.add()
    },
  })
  site.wordpress.frontPage = 7
  site.wordpress.turn(3, 'trash')
  await site.look()
  await site.waitAMinute()
  expect(await site.look()).toMatchObject({ state: 'needs-person', question: 'changed' })
  const { sources } = site.context.services
  await sources.answer(site.sourceId, 'keep', { kind: 'cli', role: 'admin' })
  expect(await site.look()).toMatchObject({ state: 'following', counts: { here: 29, missing: 0 } })
  expect(await site.titles()).toMatchObject({ 'Article 3': 'published' })
})

test('SRC-4 another site answers at the address: nothing of it is read until a person says so', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add() })
  const { wordpress } = site
  const { home } = wordpress
  wordpress.posts.clear()
  wordpress.home = 'https://casino.example'
  wordpress.add({ title: 'Gagnez' })
  expect(await site.look()).toMatchObject({ state: 'needs-person', question: 'moved' })
  expect(await site.titles()).toEqual({ 'Article 1': 'published' })
  wordpress.home = home
  wordpress.edit(2, { title: 'De retour' })
  expect(await site.look()).toMatchObject({ state: 'following' })
  expect(await site.titles()).toMatchObject({ 'De retour': 'published' })

  wordpress.home = 'https://nouveau.example'
  wordpress.later(60)
  wordpress.edit(2, { title: 'Sur le nouveau domaine' })
  expect(await site.look()).toMatchObject({ question: 'moved' })
  await site.context.services.sources.answer(site.sourceId, 'same-site', { kind: 'cli', role: 'admin' })
  expect(await site.look()).toMatchObject({ state: 'following' })
  // The same article, under whatever host it lies now.
  expect(Object.keys(await site.titles())).toEqual(['Article 1', 'Sur le nouveau domaine'])
})

test.each(['login-page', 'cut', 'busy', 'closed', 'down'] as const)(
  'SRC-4 a site that answers "%s" has withdrawn nothing, and is asked again later',
  async (mood) => {
    const site = await aFollowedSite({
      prepare: (wordpress) => {
        for (let n = 0; n < 5; n += 1) wordpress.add()
      },
    })
    const { wordpress } = site
    wordpress.mood = mood
    const before = Date.now()
    const view = await site.look()
    expect(view).toMatchObject({ state: 'retrying', failures: 1, counts: { here: 5, missing: 0 } })
    if (mood === 'busy') expect(+view.nextAt - before).toBeGreaterThan(119_000)
    wordpress.wellFor = 2
    await site.look()
    await site.waitAMinute()
    const third = await site.look()
    expect(third.state).toBe(mood === 'closed' ? 'closed' : 'retrying')
    expect(new Set(Object.values(await site.titles()))).toEqual(new Set(['published']))
    wordpress.mood = 'well'
    wordpress.add({ title: 'De nouveau' })
    expect(await site.look()).toMatchObject({ state: 'following', failures: 0 })
    expect(await site.titles()).toMatchObject({ 'De nouveau': 'published' })
  },
)

test('SRC-4 a site that changes its permalinks: addresses follow, though nothing says that a post has changed', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add({ slug: 'le-bac' }) })
  const { wordpress } = site
  const read = () =>
    site.sql<{ guid: string; canonical_url: string; old_path: string }>(
      'select guid, canonical_url, old_path, html from articles',
    )
  const [before] = await read()
  wordpress.isDated = false
  await site.look()
  const after = { canonical_url: `${wordpress.home}/le-bac/`, old_path: '/le-bac/' }
  expect(await read()).toEqual([{ ...before, ...after }])
  for (const path of [before?.old_path ?? '', '/le-bac/'])
    expect((await site.fetch(path)).headers.get('location')).toBe('/articles/le-bac')
  wordpress.requests = []
  await site.look()
  expect(reads(wordpress)).toEqual([])
})

test('SRC-4 characters that no database holds, such as half of an emoji, are left out of a post, and stop no look', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      wordpress.add({ title: 'Le phare \uD83D' })
      wordpress.add({
        title: 'Le bac\u0000',
        guid: 'urn:bac\u0000',
        category: { slug: 'port', name: 'Port\u0000' },
        author: 'Nadia\u0001 Haddad',
      })
    },
  })
  expect(await site.titles()).toEqual({ 'Le phare': 'published', 'Le bac': 'published' })
  expect(await site.look()).toMatchObject({ state: 'following', counts: { here: 2 } })
})

test('SRC-4 a post that breaks the answers of its site is left out, and stops no other', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add({ title: 'Hier' }) })
  const { wordpress } = site
  const { id } = wordpress.add({ title: 'Un code court de trop' })
  wordpress.add({ title: 'Le bac' })
  wordpress.broken.add(id)
  wordpress.add({ title: 'Le quai' })
  const looks = ['retrying', 'retrying', 'retrying', 'following']
  for (const state of looks) expect((await site.look()).state).toBe(state)
  expect(await site.titles()).toEqual({ Hier: 'published', 'Le bac': 'published', 'Le quai': 'published' })
  const { sources } = site.context.services
  expect(await sources.listItems(site.sourceId, 'skipped')).toMatchObject([
    { remoteId: String(id), reason: 'unfit' },
  ])
  wordpress.requests = []
  await site.look()
  expect(reads(wordpress)).toEqual([])
  wordpress.broken.clear()
  wordpress.later(60)
  wordpress.edit(id, { title: 'Mieux' })
  await site.look()
  expect(await site.titles()).toMatchObject({ Mieux: 'published' })
})

test('SRC-4 a site that shows no text at all has lost none of its posts once it does', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add({ title: 'Hier' }) })
  const { wordpress } = site
  wordpress.add({ title: 'Le bac' })
  for (const id of wordpress.posts.keys()) wordpress.broken.add(id)
  for (let n = 0; n < 6; n += 1)
    expect(await site.look()).toMatchObject({ state: 'retrying', failure: 'broken' })
  wordpress.broken.clear()
  await site.look()
  expect(await site.titles()).toMatchObject({ 'Le bac': 'published' })
})

test('SRC-3 two workers that look at once: one does, and nothing is read twice', async () => {
  const wordpress = await aWordpress()
  for (let n = 0; n < 30; n += 1) wordpress.add()
  const site = await aFollowedSite({ wordpress, source: { since: '2100-01-01T00:00:00Z' } })
  await site.sql(`update sources set since = null, cursor_at = null, next_at = now()`)
  const other = await aWeb({
    databaseUrl: site.context.config.databaseUrl,
    hasNewsroom: true,
    env: { SOURCE_HOSTS: '127.0.0.1' },
  })
  const before = await site.sql('select id from source_runs')
  wordpress.requests = []
  await Promise.all([site, other].map(({ context }) => context.services.sourceSync.work(site.sourceId)))
  expect(reads(wordpress)).toHaveLength(3)
  expect(await site.sql('select id from source_runs')).toHaveLength(before.length + 1)
  expect(Object.keys(await site.titles())).toHaveLength(30)
})

test('SRC-4 a worker that loses its lease in the middle writes nothing more, and the next goes on from there', async () => {
  const wordpress = await aWordpress()
  const site = await aFollowedSite({ wordpress })
  for (let n = 0; n < 30; n += 1) {
    wordpress.later(1)
    wordpress.add()
  }
  wordpress.onRequest = async (path) => {
    if (!path.includes('_embed') || reads(wordpress).length < 3) return
    wordpress.onRequest = undefined
    await site.sql('update sources set lease_token = gen_random_uuid()')
  }
  wordpress.requests = []
  await site.look()
  expect(Object.keys(await site.titles())).toHaveLength(20)
  const [twentieth] = [...wordpress.posts.values()].slice(19)
  expect(await site.sql('select cursor_at from sources')).toEqual([
    { cursor_at: new Date(Math.floor(Number(twentieth?.modified) / 1000) * 1000) },
  ])
  wordpress.requests = []
  await site.look()
  expect(reads(wordpress)).toHaveLength(1)
  expect(Object.keys(await site.titles())).toHaveLength(30)
})

test('SRC-4 at night every id is compared: what vanished from far back is withdrawn, too', async () => {
  let now = new Date('2026-12-31T12:00:00Z')
  const site = await aFollowedSite({
    web: { now: () => now },
    prepare: (wordpress) => {
      for (let n = 0; n < 230; n += 1)
        wordpress.add({ date: new Date(+wordpress.now - (230 - n) * 86_400_000) })
    },
  })
  site.wordpress.turn(5, 'trash')
  now = new Date('2027-01-01T12:00:00Z')
  await site.look()
  expect(await site.context.services.sources.get(site.sourceId)).toMatchObject({ counts: { missing: 0 } })
  now = new Date('2027-01-02T01:30:00Z')
  expect(await site.look()).toMatchObject({ counts: { missing: 1 } })
  await site.waitAMinute()
  await site.look()
  expect(await site.titles()).toMatchObject({ 'Article 5': 'withdrawn', 'Article 6': 'published' })
  const pages = site.wordpress.requests.filter((path) => path.includes('orderby=id&order=asc'))
  expect(pages).toHaveLength(4)
})

test('SRC-4 a site whose errors are answered with 200, and whose pages are all the first one', async () => {
  let now = new Date('2027-01-02T01:30:00Z')
  const site = await aFollowedSite({
    web: { now: () => now },
    prepare: (wordpress) => {
      wordpress.wrapsErrors = true
      wordpress.unknown = ['page']
      for (const title of ['Un', 'Deux', 'Trois']) wordpress.add({ title })
    },
  })
  const pagesAsked = () =>
    site.wordpress.requests.filter((path) => path.includes('orderby=id&order=asc')).length
  expect(pagesAsked()).toBe(2)
  now = new Date('2027-01-02T01:35:00Z')
  site.wordpress.turn(2, 'trash')
  await site.look()
  await site.waitAMinute()
  await site.look()
  expect(await site.titles()).toEqual({ Un: 'published', Deux: 'withdrawn', Trois: 'published' })
  expect(pagesAsked()).toBe(2)
})

test('SRC-4 what a site that gives ten at a time does not list is not taken for gone', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      wordpress.unknown = ['per_page']
      for (let n = 30; n > 0; n -= 1) wordpress.add({ date: new Date(+wordpress.now - n * 86_400_000) })
    },
  })
  for (let n = 0; n < 3; n += 1) await site.look()
  expect(Object.keys(await site.titles())).toHaveLength(30)
  expect(await site.look()).toMatchObject({ state: 'following', counts: { here: 30, missing: 0 } })
})

test('SRC-7 a site in several languages: by where they begin; one that is not ours is skipped, with a reason', async () => {
  const site = await aFollowedSite({
    prepare: (wordpress) => {
      wordpress.languages = [
        { slug: 'en', w3c: 'en-US', path: '/' },
        { slug: 'fr', w3c: 'fr-FR', path: '/fr/' },
        { slug: 'ar', w3c: 'ar', path: '/ar/' },
      ]
      wordpress.add({ title: 'English' })
      wordpress.add({ title: 'Français', prefix: '/fr' })
      wordpress.add({ title: 'عربي', prefix: '/ar' })
      wordpress.add({ title: 'Caché', password: 'secret' })
    },
  })
  expect(await site.sql('select title, language from articles order by title')).toEqual([
    { title: 'Français', language: 'fr' },
    { title: 'عربي', language: 'ar' },
  ])
  const skipped = await site.context.services.sources.listItems(site.sourceId, 'skipped')
  expect(new Map(skipped.map(({ title, reason }) => [title, reason]))).toEqual(
    new Map([
      ['Caché', 'protected'],
      ['English', 'language'],
    ]),
  )
})

test('SRC-2 an article that an export brought is the same article', async () => {
  const wordpress = await aWordpress()
  const site = await aFollowedSite({ wordpress, source: { since: '2100-01-01T00:00:00Z' } })
  const host = new URL(wordpress.home).host
  await site.put(`wp:${host}:1`, { title: 'Par l’export', guid: `${wordpress.home}/?p=1` })
  await site.sql('update articles set remote_rank = 3, held_at = null')
  const post = wordpress.add({ title: 'Par le site' })
  await site.sql('update articles set remote_modified_at = $1', [
    post.modified.toISOString().slice(0, 19) + 'Z',
  ])
  await site.sql('update sources set since = null')
  await site.look()
  // Of the same change it has what the export says not: where links lead.
  expect(await site.sql('select canonical_url from articles')).toEqual([
    { canonical_url: wordpress.linkOf(post) },
  ])
  expect(await site.titles()).toEqual({ 'Par le site': 'published' })
})

test('SRC-6 nothing leaves a copy of the database, and private hosts are not reached unless the operator says so', async () => {
  const site = await aFollowedSite({ prepare: (wordpress) => wordpress.add() })
  await site.sql(
    `insert into instance_guard (system_identifier, timeline, files) values ('elsewhere', 1, 'x')`,
  )
  site.wordpress.requests = []
  await site.look()
  expect(site.wordpress.requests).toEqual([])
  const web = await aWeb()
  const { sources } = web.context.services
  await expect(sources.preview(site.wordpress.home)).rejects.toMatchObject({
    code: 'source_unreadable',
    message: expect.stringContaining('SOURCE_HOSTS') as string,
  })
  expect(site.wordpress.requests).toEqual([])
})
