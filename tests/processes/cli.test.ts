import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { depeche } from '../support/cli.ts'
import { cloneDatabase } from '../support/database.ts'
import { bareEnvironment } from '../support/programs.ts'

test('key create prints the key alone on stdout', async () => {
  const { code, stdout } = await depeche(await cloneDatabase(), [
    'key',
    'create',
    '--role',
    'editor',
    '--name',
    'WordPress',
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^depeche_[\w-]{43}\n$/)
})

test('editor add, then sign-in prints one link of PUBLIC_URL', async () => {
  const url = await cloneDatabase()
  const added = await depeche(url, ['editor', 'add', 'nadia@rivage.example', '--role', 'editor', '--json'])
  expect(JSON.parse(added.stdout)).toMatchObject({ email: 'nadia@rivage.example', role: 'editor' })
  const link = await depeche(url, ['editor', 'sign-in', 'nadia@rivage.example'], {
    PUBLIC_URL: 'https://rivage.example',
  })
  expect(link.stdout).toMatch(/^https:\/\/rivage\.example\/desk\/sign-in\/[\w-]{43}\n$/)
})

test('publication set changes what is given, show prints it', async () => {
  const url = await cloneDatabase()
  const links = ['--links', 'canonical', '--feed-text', 'full']
  await depeche(url, ['publication', 'set', '--name', 'Le Rivage', '--languages', 'fr,ar', ...links])
  await depeche(url, ['publication', 'set', '--language', 'ar', '--name', 'الساحل'])
  const { stdout } = await depeche(url, ['publication', 'show', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({
    name: { fr: 'Le Rivage', ar: 'الساحل' },
    languages: ['fr', 'ar'],
    zone: 'Africa/Algiers',
    links: 'canonical',
    feedText: 'full',
  })
})

test('wrong use exits 2, a failure exits 1, each with a sentence and no stack', async () => {
  const url = await cloneDatabase()
  const cases = [
    { args: ['key', 'create'], code: 2 },
    { args: ['key', 'create', '--role', 'viewer', '--name', 'site', '--days', '9e15'], code: 2 },
    { args: ['unknown'], code: 2 },
    { args: ['publication', 'set'], code: 2 },
    { args: ['publication', 'set', '--zone', 'Mars/Olympus'], code: 1 },
    { args: ['publication', 'set', '--languages', 'fr,xx'], code: 1 },
    { args: ['publication', 'set', '--name', '', '--links', 'home', '--feed-text', 'half'], code: 1 },
    { args: ['publication', 'set', '--contact-email', 'nobody'], code: 1 },
    { args: ['editor', 'add', 'nobody', '--role', 'admin'], code: 1 },
    { args: ['editor', 'sign-in', 'nobody@rivage.example'], code: 1 },
  ]
  for (const { args, code } of cases) {
    const result = await depeche(url, args)
    expect(result.code, args.join(' ')).toBe(code)
    expect(result.stdout).toBe('')
    expect(result.stderr).toMatch(/\w+/)
    expect(result.stderr).not.toMatch(/^\s+at /m)
  }
})

test('wrong use tells all that the command needs, its arguments too', async () => {
  const { code, stderr } = await depeche(await cloneDatabase(), ['newsletter', 'create'])
  expect(code).toBe(2)
  expect(stderr).toContain('usage: depeche newsletter create --name <name> --language <tag> [options] <slug>')
})

test('configuration faults are told together, each by its variable, without a value or a stack', async () => {
  const result = await depeche('mysql://secret-host/db', ['publication', 'show'], {
    PORT: 'many',
    PUBLIC_URL: 'http://news.example.org',
  })
  expect(result.code).toBe(1)
  for (const name of ['DATABASE_URL', 'PORT', 'PUBLIC_URL']) expect(result.stderr).toContain(name)
  expect(result.stderr).not.toContain('secret-host')
  expect(result.stderr).not.toMatch(/^\s+at /m)
})

test('a database that refuses the password, or is not there, names DATABASE_URL; a file that cannot be is told by its path', async () => {
  const url = await cloneDatabase()
  const changed = (change: Partial<URL>) => Object.assign(new URL(url), change).href
  for (const wrong of [changed({ password: 'wrong' }), changed({ pathname: '/no_such_database' })]) {
    const { code, stderr } = await depeche(wrong, ['migrate'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The database refuses us: .* in DATABASE_URL\.$/m)
  }
  const { code, stderr } = await depeche(url, ['subscriber', 'export', '/no-such-folder/all.csv'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('/no-such-folder/all.csv')])
  expect(stderr).not.toContain('should not')
})

test('a command makes no database: without one it says what it needs', async () => {
  const dataDir = mkdtempSync('/var/tmp/depeche-none-')
  const { code, stdout, stderr } = await depeche('', ['publication', 'show'], {
    DATA_DIR: dataDir,
    SECRET_KEY: '',
  })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('There is no database: set DATABASE_URL')
  expect(readdirSync(dataDir)).toEqual([])
})

test('bin/depeche runs from any folder, hands on arguments and exit codes', () => {
  const run = (args: string[]) =>
    spawnSync(resolve('bin/depeche'), args, {
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    })
  expect(run(['key', 'create', '--help'])).toMatchObject({ status: 0, stderr: '' })
  expect(run(['no-such-command'])).toMatchObject({ status: 2, stdout: '' })
})

test('npx depeche runs it where it is, and installs nothing into a home', () => {
  const home = mkdtempSync('/var/tmp/depeche-home-')
  const env = { ...bareEnvironment, HOME: home, npm_config_update_notifier: 'false' }
  const { stdout } = spawnSync('npx', ['depeche', '--version'], { env, encoding: 'utf8' })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  // What npm runs from a copy of its own lies in `_npx`.
  expect(readdirSync(join(home, '.npm'))).toEqual(['_logs'])
})
