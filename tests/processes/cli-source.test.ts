import { expect, test } from 'vitest'
import { aWeb } from '../support/web.ts'
import { depeche } from '../support/cli.ts'
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
