import { execFile } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { depeche } from '../support/cli.ts'
import { testSecret } from '../support/config.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { peakMemoryOf, sayingPeakMemory } from '../support/peak-memory.ts'
import { bareEnvironment } from '../support/programs.ts'
import { writeWxr } from '../support/wxr.ts'

const fixture = new URL('../fixtures/import/rivage.wxr.xml', import.meta.url).pathname

function aFolder(): string {
  const folder = mkdtempSync('/var/tmp/depeche-wxr-')
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  return folder
}

test('import wxr: counts on stdout, the broken post named by its line, exit code 1; again unchanged; an edit updates', async () => {
  const url = await cloneDatabase()
  await depeche(url, ['publication', 'set', '--languages', 'fr,ar'])
  const first = await depeche(url, ['import', 'wxr', fixture])
  expect(first.code).toBe(1)
  const [posts, newGuids, responses, leftOut, items, repairs, error] = first.stdout.split('\n')
  expect(posts).toBe('15 posts: 14 created, 0 updated, 0 unchanged, 1 failed')
  expect(newGuids).toMatch(/^1 had the guid of another post/)
  expect(responses).toBe('2 responses: created 2; 2 not approved left out')
  expect(leftOut).toMatch(/^7 items left out: /)
  for (const kind of ['attachment', 'private', 'password', 'page', 'menu item', 'other type', 'trash']) {
    expect(leftOut).toContain(`${kind} 1`)
  }
  expect(items).toBe('22 items in the file')
  expect(repairs).toMatch(/^\d+ repairs of the file: ampersands 2, entities 1, /)
  const lines = readFileSync(fixture, 'utf8').split('\n')
  const begins = lines.lastIndexOf('<item>', lines.indexOf('<wp:post_id>119 bis</wp:post_id>')) + 1
  expect(error).toMatch(new RegExp(`^  line ${begins}: post 119 bis "Identifiant impossible": .*letters`))
  expect(first.stderr).toContain('1 could not be imported; everything else was.')
  // Nobody watches: no bar, no cursor moved.
  expect(first.stderr).toMatch(/^Importing \d+ %/)
  for (const drawn of ['\u001b', '█']) expect(first.stderr).not.toContain(drawn)

  const { articles } = openTestDatabase(url).stores
  const stateOf = async (post: number) =>
    (await articles.getByExternalId(`wp:ancien.rivage.example:${post}`)).state
  expect([await stateOf(101), await stateOf(105), await stateOf(106)]).toEqual([
    'published',
    'draft',
    'scheduled',
  ])

  const again = await depeche(url, ['import', 'wxr', fixture, '--json'])
  expect(JSON.parse(again.stdout)).toMatchObject({ created: 0, updated: 0, unchanged: 14, failed: 1 })

  const edited = join(aFolder(), 'export.xml')
  const text = readFileSync(fixture, 'utf8').replaceAll('119 bis', '119')
  writeFileSync(edited, text.replace('Le phare brille.\n', 'Le phare ne brille plus.\n'))
  const corrected = await depeche(url, ['import', 'wxr', edited])
  expect(corrected.code).toBe(0)
  expect(corrected.stdout).toMatch(/^15 posts: 1 created, 1 updated, 13 unchanged, 0 failed\n/)
})

test('what cannot be imported is one sentence, without a stack; wrong use exits 2', async () => {
  const url = await cloneDatabase()
  const other = join(aFolder(), 'other.xml')
  writeFileSync(other, '<rss version="2.0"><channel><title>x</title></channel></rss>')
  const cases = [
    { args: ['wxr', '/nowhere/export.xml'], code: 1, says: 'no such file' },
    { args: ['wxr', '/var/tmp'], code: 1, says: 'no such file' },
    { args: ['wxr', other], code: 1, says: 'not an export of WordPress' },
    { args: ['wxr'], code: 2, says: 'missing required argument' },
    { args: ['wxr', fixture, '--language', 'french!'], code: 2, says: 'BCP 47' },
    { args: ['feed', 'http://127.0.0.1:1/feed'], code: 1, says: 'not public' },
    { args: ['feed', 'ftp://voisin.example/feed'], code: 1, says: 'not an http or https URL' },
  ]
  for (const { args, code, says } of cases) {
    const result = await depeche(url, ['import', ...args])
    expect(result.code, args.join(' ')).toBe(code)
    expect(result.stdout).toBe('')
    expect(result.stderr).toContain(says)
    expect(result.stderr).not.toMatch(/^\s+at /m)
  }
})

test('on a terminal a bar shows how far it is', async () => {
  const url = await cloneDatabase()
  const file = join(aFolder(), 'export.xml')
  await writeWxr(file, 20)
  const command = `'${process.execPath}' src/cli/depeche.ts import wxr '${file}'`
  const { stdout: seen } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], {
    env: { ...bareEnvironment, DATABASE_URL: url, SECRET_KEY: testSecret },
  })
  expect(seen).toContain('\r\u001b[2KImporting [')
  expect(seen).toContain(`[${'█'.repeat(30)}] 100 % 20 posts`)
  expect(seen).toContain('20 posts: 20 created')
})

test('an export of 60,000 pictures is imported in less than 210 MB', async () => {
  const file = join(aFolder(), 'export.xml')
  await writeWxr(file, 5)
  const [head = '', ...items] = readFileSync(file, 'utf8').split(/(?=<item>)/)
  const [, picture = ''] = /(<item><title>Photo.*?<\/item>)/s.exec(items.join('')) ?? []
  const out = createWriteStream(file)
  out.write(head)
  for (let n = 0; n < 60_000; n += 1) {
    out.write(
      picture.replace('1000005', String(2_000_000 + n)).replace('5.jpg', `${'très-'.repeat(40)}${n}.jpg`),
    )
  }
  out.end(items.join(''))
  await finished(out)
  const { code, stdout, stderr } = await depeche(await cloneDatabase(), ['import', 'wxr', file], {
    NODE_OPTIONS: sayingPeakMemory,
    // How many arenas of 10 MB the C library opens for threads that wait for each other is up to the scheduler.
    MALLOC_ARENA_MAX: '2',
  })
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('attachment 60001') as string,
  })
  expect(peakMemoryOf(stderr)).toBeLessThan(210)
})
