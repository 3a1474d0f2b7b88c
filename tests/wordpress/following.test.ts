import { expect, test } from 'vitest'
import { aRealWordpress } from '../support/real-wordpress.ts'
import { follow } from '../support/sources.ts'

test("SRC-4 SRC-5 a post's whole life on a real WordPress", async ({ annotate }) => {
  const wordpress = await aRealWordpress()
  const past = { post_date: '2026-01-05 08:00:00' }
  for (const n of [1, 2, 3, 4, 5, 6])
    wordpress.add({ ...past, post_title: `Ancien ${n}`, post_content: 'Hier.' })
  const site = await follow(wordpress.home)
  const { sources, sourceSync } = site.context.services
  const begun = Date.now()
  const step = (what: string) => annotate(`${((Date.now() - begun) / 1000).toFixed(1)} s ${what}`)
  const stateOf = async (title: string) => (await site.titles())[title]
  const rss = async () => {
    await site.render()
    return (await site.fetch('/rss.xml')).text()
  }
  const article = async (title: string) => {
    const [row] = await site.sql<{
      slug: string
      guid: string
      canonical_url: string
      language: string
      html: string
      updated_at: Date
    }>('select slug, guid, canonical_url, language, html, updated_at from articles where title = $1', [title])
    if (!row) throw new Error(`no article ${title}`)
    return row
  }
  expect(await sources.get(site.sourceId)).toMatchObject({ kind: 'wordpress', counts: { here: 6 } })
  await step('six are here')

  // Entered in Settings, Writing; rung by WordPress's own cron.
  const { pingUrl } = await sources.get(site.sourceId)
  wordpress.run(`return update_option('ping_sites', '${pingUrl}');`)
  const id = wordpress.add({
    post_title: 'Le phare & la mer',
    post_content: '<p>Il brille.</p>',
    post_name: 'le-phare',
  })
  await step('published')
  await wordpress.runCron()
  expect(await site.sql('select rung_at > looked_at as is_rung from sources')).toEqual([{ is_rung: true }])
  await step('rung')
  await sourceSync.work(site.sourceId)
  expect(await rss()).toContain('Le phare &#x26; la mer')
  await step('in /rss.xml')
  expect(await sources.get(site.sourceId)).toMatchObject({ state: 'following', rings: true })
  const published = await article('Le phare & la mer')
  expect(published).toMatchObject({ language: 'fr', canonical_url: `${wordpress.home}/une/le-phare/` })

  wordpress.edit(id, { post_content: '<p>Il brille jusqu’à midi.</p>' })
  await site.look()
  const corrected = await article('Le phare & la mer')
  expect(corrected.html).toContain('jusqu’à midi')
  await site.look({ isRung: true })
  expect(await article('Le phare & la mer')).toEqual(corrected)
  await step('corrected once')

  const isGoneAfter = async (leave: string) => {
    wordpress.run(leave)
    await site.look()
    expect(await stateOf('Le phare & la mer')).toBe('published')
    await site.waitAMinute()
    await site.look()
    expect(await stateOf('Le phare & la mer')).toBe('withdrawn')
    expect((await site.fetch(`/articles/${published.slug}`)).status).toBe(410)
  }
  const isBack = async () => {
    await site.look()
    expect(await article('Le phare & la mer')).toMatchObject({ guid: published.guid })
    expect(await stateOf('Le phare & la mer')).toBe('published')
  }
  await isGoneAfter(`return wp_trash_post(${id});`)
  await step('trashed, withdrawn at the second look')
  wordpress.run(`wp_untrash_post(${id}); wp_publish_post(${id}); return 1;`)
  await isBack()
  await step('restored')
  for (const status of ['private', 'draft']) {
    await isGoneAfter(`return wp_update_post(['ID' => ${id}, 'post_status' => '${status}']);`)
    wordpress.edit(id, { post_status: 'publish' })
    await isBack()
    await step(`${status}, withdrawn, and restored`)
  }

  wordpress.edit(id, { post_name: 'le-grand-phare' })
  await site.look()
  expect(await article('Le phare & la mer')).toMatchObject({
    slug: 'le-grand-phare',
    guid: published.guid,
    canonical_url: `${wordpress.home}/une/le-grand-phare/`,
  })
  for (const path of ['/articles/le-phare', '/une/le-phare/', '/une/le-grand-phare/', `/?p=${id}`]) {
    const answer = await site.fetch(path)
    expect([path, answer.status, answer.headers.get('location')]).toEqual([
      path,
      301,
      expect.stringContaining('/articles/le-grand-phare'),
    ])
  }
  await step('renamed, its old link leads on')

  wordpress.edit(id, { post_password: 'secret' })
  await site.look()
  expect(await stateOf('Le phare & la mer')).toBe('withdrawn')
  wordpress.edit(id, { post_password: '' })
  await isBack()
  await step('password set, withdrawn; taken off, restored')

  const due = wordpress.run(`return wp_date('Y-m-d H:i:s', time() + 7200);`) as string
  const later = wordpress.add({
    post_title: 'Le bac',
    post_content: 'Il part.',
    post_status: 'future',
    post_date: due,
  })
  await site.look()
  expect(await stateOf('Le bac')).toBeUndefined()
  wordpress.passHours(3)
  await wordpress.runCron()
  expect(wordpress.run(`return get_post_status(${later});`)).toBe('publish')
  await site.look()
  expect(await stateOf('Le bac')).toBe('published')
  await step('scheduled, out late, arrived')

  const arabic = wordpress.run(
    `return [wp_insert_term('العربية', 'category', ['slug' => 'ar'])['term_id']];`,
  ) as number[]
  wordpress.add({
    post_title: 'معرض الكتاب',
    post_content: '<p>يفتح المعرض أبوابه غدا.</p>',
    post_category: arabic,
  })
  await site.look()
  expect(await article('معرض الكتاب')).toMatchObject({ language: 'ar', slug: 'معرض-الكتاب' })
  await site.render()
  expect(await (await site.fetch('/ar/rss.xml')).text()).toContain('معرض الكتاب')
  await step('an Arabic one below /ar/')
  expect(await sources.get(site.sourceId)).toMatchObject({
    state: 'following',
    counts: { here: 9, missing: 0, withdrawn: 0, skipped: 0 },
  })
})
