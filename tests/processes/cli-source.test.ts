import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { aWeb } from '../support/web.ts'
import { depeche } from '../support/cli.ts'
import { rowsOf } from '../support/query.ts'
import { aWordpress } from '../support/wordpress.ts'

test('SRC-9 by the command line: looked at, followed, read without a worker, rung, left', async () => {
  const wordpress = await aWordpress()
  for (const title of ['Le bac', 'Le phare', 'Le quai']) wordpress.add({ title })
  const web = await aWeb()
  const run = async (...args: string[]) => {
    const done = await depeche(web.context.config.databaseUrl, ['source', ...args], {
      PUBLIC_URL: web.origin,
      SOURCE_HOSTS: '127.0.0.1',
    })
    expect([done.code, done.stderr], args.join(' ')).toEqual([0, ''])
    return done.stdout
  }
  expect(await run('check', wordpress.home)).toMatch(/Journal Essai: wordpress.*Le phare/s)
  const added = JSON.parse(await run('add', wordpress.home, '--json')) as { id: number; pingUrl: string }
  expect(await run('sync', String(added.id))).toMatch(/following.*\n.*\n3 articles here/)
  expect(await run('ping-url', String(added.id))).toBe(`${added.pingUrl}\n`)
  expect(await run('pause', String(added.id))).toContain('paused')
  expect(await run('resume', String(added.id))).toContain('following')
  expect(await run('list')).toContain('Journal Essai')
  // Whoever reads along is not told where the site rings.
  for (const shown of [await run('list', '--json'), await run('sync', String(added.id), '--json')]) {
    expect(shown).toContain('"pingUrl": null')
    expect(shown).not.toContain('/ping/')
  }
  await run('remove', String(added.id))
  expect(JSON.parse(await run('list', '--json'))).toEqual([])
  expect((await web.context.services.articles.list({ limit: 5, after: undefined })).data).toHaveLength(3)
})

test('SRC-4 what an export scheduled at a site that is followed is public once the site shows it, not by our clock', async () => {
  const wordpress = await aWordpress()
  wordpress.add({ title: 'Hier' })
  const web = await aWeb()
  const run = async (...args: string[]) => {
    const env = { PUBLIC_URL: web.origin, SOURCE_HOSTS: '127.0.0.1' }
    const done = await depeche(web.context.config.databaseUrl, args, env)
    expect(done.code, done.stderr).toBe(0)
    return done.stdout
  }
  const states = () => rowsOf(web, "select title, state from articles where title <> 'Hier' order by title")
  const folder = mkdtempSync('/var/tmp/depeche-wxr-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'export.xml')
  const write = (...titles: string[]) => {
    const items = titles.map(
      (title, n) => `<item><title>${title}</title><wp:post_id>${n + 7}</wp:post_id>
<wp:post_date_gmt>2100-01-01 08:00:00</wp:post_date_gmt><wp:status>future</wp:status><wp:post_type>post</wp:post_type></item>`,
    )
    writeFileSync(
      file,
      `<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><language>fr</language>
<wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>${wordpress.home}</wp:base_blog_url>${items.join('')}</channel></rss>`,
    )
  }
  write('Avant')
  await run('import', 'wxr', file)
  expect(await states()).toEqual([{ title: 'Avant', state: 'scheduled' }])
  await run('source', 'add', wordpress.home)
  expect(await states()).toEqual([{ title: 'Avant', state: 'draft' }])
  write('Avant', 'Ensuite')
  expect(await run('import', 'wxr', file)).toContain('2 items left out: scheduled 2')
  // As a version before took it, beside following.
  await rowsOf(
    web,
    "update articles set state = 'scheduled', published_at = '2100-01-01' where title = 'Avant'",
  )
  await run('source', 'sync', '1')
  expect(await states()).toEqual([{ title: 'Avant', state: 'draft' }])
  wordpress.add({ id: 7, title: 'Avant' })
  await run('source', 'sync', '1')
  expect(await states()).toEqual([{ title: 'Avant', state: 'published' }])
})
