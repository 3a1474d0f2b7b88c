import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { findPostgres, startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { workerNodeOptions } from '../../src/embedded/supervisor.ts'
import { depeche } from '../support/cli.ts'
import { query } from '../support/query.ts'
import {
  aDataDir,
  aRunningInstallation,
  aUsedDataDir,
  databaseOf,
  eventually,
  isStopped,
  killQuietly,
  pidOf,
  processesOf,
  spawnStart,
  type Role,
} from '../support/installation.ts'

/** Real processes on a machine that may be busy. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

const isUp = async (url: string): Promise<boolean> =>
  fetch(new URL('/healthz', url)).then(
    ({ ok }) => ok,
    () => false,
  )

const nothingRuns = (dataDir: string) =>
  eventually(() => processesOf(dataDir).length === 0, 'every process has ended')

test('START-1 one command runs everything, Ctrl-C ends all of it in order', async () => {
  const dataDir = aDataDir()
  const started = await aRunningInstallation(dataDir)
  expect(started.output()).toMatch(/^ready in \d+\.\d s\n/)
  expect(started.output()).toMatch(/ 1 Read .* 2 Subscribe .* 3 Mailbox .* 4 Desk /s)
  expect(started.output()).toContain('Nothing leaves this machine. Start over: npm run reset')
  expect(await isUp(started.urlOf('Read'))).toBe(true)
  expect((await fetch(new URL('/api/messages', started.urlOf('Mailbox')))).status).toBe(200)
  const worker = readFileSync(`/proc/${pidOf(dataDir, 'worker')}/cmdline`, 'utf8').split('\0')
  expect(worker).toEqual(expect.arrayContaining(workerNodeOptions))
  for (const file of ['postgres-password', 'secret-key', 'running.json']) {
    expect(statSync(join(dataDir, file)).mode & 0o777, file).toBe(0o600)
  }
  for (const directory of ['postgres', 'mail', 'logs']) {
    expect(statSync(join(dataDir, directory)).mode & 0o777, directory).toBe(0o700)
  }

  started.pressCtrlC()
  expect(await started.ended).toBe(0)
  expect(processesOf(dataDir)).toEqual([])
  // Had the database gone first, web and worker would have said so.
  for (const file of readdirSync(join(dataDir, 'logs'))) {
    expect(readFileSync(join(dataDir, 'logs', file), 'utf8'), file).not.toContain('"level":40')
  }
  expect(readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8')).toContain('fast shutdown')
})

test('START-2 when the supervisor is killed, the others end by themselves, the database last', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir)
  killQuietly(started.process.pid)
  await nothingRuns(dataDir)
  expect(readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8')).toContain('fast shutdown')
  for (const name of ['web', 'worker']) {
    const log = readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8')
    expect(log).toContain('parent is gone')
    expect(log).not.toContain('"level":40')
  }
})

test('START-3 after everything was killed at once, the next start recovers, even when another process got the id', async () => {
  const dataDir = await aUsedDataDir()
  // Left by a creation that was interrupted.
  mkdirSync(join(dataDir, 'postgres.partial'))
  writeFileSync(join(dataDir, 'postgres.partial', 'PG_VERSION'), '18\n')
  await aRunningInstallation(dataDir)
  const secret = readFileSync(join(dataDir, 'secret-key'), 'utf8')
  for (const { pid } of processesOf(dataDir)) killQuietly(pid)
  await nothingRuns(dataDir)

  const { uid, gid } = statSync(join(dataDir, 'postgres'))
  const stranger = spawn('sleep', ['600'], { uid, gid, stdio: 'ignore' })
  onTestFinished(() => void stranger.kill())
  const lockFile = join(dataDir, 'postgres', 'postmaster.pid')
  const [, ...rest] = readFileSync(lockFile, 'utf8').split('\n')
  writeFileSync(lockFile, [String(stranger.pid), ...rest].join('\n'))

  const again = await aRunningInstallation(dataDir)
  expect(await isUp(again.urlOf('Read'))).toBe(true)
  expect(readFileSync(join(dataDir, 'secret-key'), 'utf8')).toBe(secret)
})

test('START-4 a database that outlived its keeper is adopted', async () => {
  const dataDir = await aUsedDataDir()
  const first = await aRunningInstallation(dataDir)
  const database = databaseOf(dataDir)
  killQuietly(pidOf(dataDir, 'keeper'))
  killQuietly(first.process.pid)
  await first.ended

  const again = await aRunningInstallation(dataDir)
  expect(databaseOf(dataDir)).toBe(database)
  again.pressCtrlC()
  expect(await again.ended).toBe(0)
  await nothingRuns(dataDir)
})

test('START-5 Ctrl-C while it still starts leaves nothing running', async () => {
  const dataDir = aDataDir()
  const started = spawnStart({ DATA_DIR: dataDir })
  await eventually(() => pidOf(dataDir, 'postgres') !== undefined, 'the database is starting')
  started.pressCtrlC()
  expect(await started.ended).toBe(0)
  expect(started.output()).not.toContain('    at ')
  await nothingRuns(dataDir)
})

test('START-6 an empty lock file is left behind', async () => {
  const dataDir = aDataDir()
  await startPostgres({ dataDir })
  await stopPostgres(dataDir)
  writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), '')
  const again = await startPostgres({ dataDir })
  expect(await findPostgres(dataDir)).toBe(again.url)
  await stopPostgres(dataDir)
  expect(await findPostgres(dataDir)).toBeUndefined()
})

test('START-7 a dead process starts again: web, worker, mail catcher, keeper and the database', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir)
  const dies = async (role: Role, pid: () => number | undefined) => {
    const before = pid()
    killQuietly(before)
    await eventually(() => ![undefined, before].includes(pid()), `${role} runs again`)
  }
  for (const role of ['web', 'worker', 'mail', 'keeper'] as const)
    await dies(role, () => pidOf(dataDir, role))
  await dies('postgres', () => databaseOf(dataDir))
  await eventually(() => isUp(started.urlOf('Read')), 'the web process answers again')
  started.pressCtrlC()
  expect(await started.ended).toBe(0)
  await nothingRuns(dataDir)
})

test('START-16 told to end while a dead database starts again, it leaves nothing running', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir)
  const before = databaseOf(dataDir)
  killQuietly(before)
  let database: number | undefined
  // One that begins while what the dead server left still runs ends at once, and another begins.
  await eventually(() => {
    database = databaseOf(dataDir)
    if (database === undefined || database === before) return false
    killQuietly(database, 'SIGSTOP')
    return isStopped(database)
  }, 'it starts again, and is stopped')
  killQuietly(started.process.pid, 'SIGTERM')
  await eventually(() => started.output().includes('Stopping'), 'it is about to end')
  for (const role of ['web', 'worker'] as const) killQuietly(pidOf(dataDir, role))
  // Longer than whoever does not wait for the database asks it in vain.
  await Promise.race([started.ended, sleep(10_000)])
  killQuietly(database, 'SIGCONT')
  expect(await started.ended).toBe(0)
  await nothingRuns(dataDir)
})

test('START-8 a second start says in one sentence that it runs already', async () => {
  const dataDir = await aUsedDataDir()
  const first = await aRunningInstallation(dataDir)
  const second = spawnStart({ DATA_DIR: dataDir })
  expect(await second.ended).toBe(1)
  expect(second.output()).toMatch(/^Dépêche already runs on .*\n$/)
  expect(second.output()).toContain(`(kill ${first.process.pid})`)
  expect(await isUp(first.urlOf('Read'))).toBe(true)
})

test('START-15 of two first starts at one moment one runs, and the other says so in one sentence', async () => {
  const dataDir = aDataDir()
  const starts = [spawnStart({ DATA_DIR: dataDir }), spawnStart({ DATA_DIR: dataDir })]
  const ends = starts.map(async (start) => ({ code: await start.ended, start }))
  const { code, start: loser } = await Promise.race(ends)
  expect([code, loser.output()]).toEqual([1, expect.stringMatching(/^Dépêche already runs on .*\n$/)])
  const winner = starts.find((start) => start !== loser)
  await eventually(() => winner?.output().includes('Desk ') === true, 'the other one is ready')
  expect(await isUp(winner?.urlOf('Read') ?? '')).toBe(true)
  expect(readdirSync(dataDir).filter((name) => name.includes('partial'))).toEqual([])
  winner?.pressCtrlC()
  expect(await winner?.ended).toBe(0)
})

test('START-9 a busy port is named with its variable, before anything is started', async () => {
  const dataDir = aDataDir()
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  onTestFinished(() => void busy.close())
  const { port } = busy.address() as AddressInfo
  for (const variable of ['PORT', 'MAIL_CATCHER_PORT']) {
    const refused = spawnStart({ DATA_DIR: dataDir, [variable]: String(port) })
    expect(await refused.ended).toBe(1)
    expect(refused.output()).toBe(
      `Port ${port} is taken by another program: stop it, or choose another with ${variable}.\n`,
    )
  }
  expect(processesOf(dataDir)).toEqual([])
})

test('START-10 DKIM-3 all faults of the configuration are told together, without a stack', async () => {
  const refused = spawnStart({
    SMTP_URL: 'ftp://x',
    LOG_LEVEL: 'loud',
    PUBLIC_URL: 'http://news.example',
    DKIM_PRIVATE_KEY: 'not a key',
  })
  expect(await refused.ended).toBe(1)
  for (const variable of ['SMTP_URL', 'LOG_LEVEL', 'PUBLIC_URL', 'DKIM_PRIVATE_KEY'])
    expect(refused.output()).toContain(`  ${variable}: `)
  expect(refused.output()).not.toContain('    at ')
})

test.each([
  ['a database that does not answer', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, [], 'check DATABASE_URL'],
  ['a DATA_DIR that is a file', { DATA_DIR: '/etc/hostname' }, [], '/etc/hostname'],
  ['a mistyped --empty', { DATA_DIR: '/var/tmp/depeche-emtpy' }, ['--emtpy'], '--emtpy: only --empty'],
])('START-17 %s is a sentence, without a stack', async (_what, env, args, sentence) => {
  const refused = spawnStart({ SECRET_KEY: 'a secret of the tests that is long enough', ...env }, args)
  expect(await refused.ended).toBe(1)
  expect(refused.output()).toContain(sentence)
  expect(refused.output()).not.toContain('    at ')
})

test('START-11 reset stops the service and removes what it kept, and nothing else', async () => {
  const dataDir = aDataDir()
  writeFileSync(join(dataDir, 'notes.txt'), 'not ours')
  const started = await aRunningInstallation(dataDir)
  const reset = spawnStart({ DATA_DIR: dataDir }, ['--reset'])
  expect(await reset.ended).toBe(0)
  expect(await started.ended).toBe(0)
  expect(reset.output()).toContain(`Removing ${join(dataDir, 'postgres')}: the database`)
  expect(readdirSync(dataDir)).toEqual(['notes.txt'])
  await nothingRuns(dataDir)
})

test('START-12 SIGTERM to every process at once is an end in order: nothing starts again, nothing is a warning', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir)
  // By its turn a connection of the database may have ended with who held it.
  for (const { pid } of processesOf(dataDir)) killQuietly(pid, 'SIGTERM')
  expect(await started.ended).toBe(0)
  await nothingRuns(dataDir)
  expect(started.output()).not.toContain('starts again')
  for (const file of readdirSync(join(dataDir, 'logs'))) {
    expect(readFileSync(join(dataDir, 'logs', file), 'utf8'), file).not.toMatch(/"level":[4-6]0/)
  }
})

test('START-18 SIGTERM to npm alone ends the service', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir, {}, [], ['npm', 'start'])
  started.process.kill('SIGTERM')
  expect(await started.ended).toBe(0)
  await nothingRuns(dataDir)
})

test('START-18 a Ctrl-C that comes from the terminal and from npm is one: what is in flight is finished', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir, {}, [], ['npm', 'start'])
  const socket = connect(Number(new URL(started.urlOf('Read')).port), 'localhost')
  socket.write('POST /subscribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n')
  socket.write('Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n')
  // The request is in flight once somebody wants its body.
  await once(socket, 'data')
  socket.write('a')
  const answered = once(socket, 'data') as Promise<[Buffer]>
  const log = join(dataDir, 'logs', 'web.log')
  started.pressCtrlC()
  await eventually(() => readFileSync(log, 'utf8').includes('draining'), 'the web process is told to end')
  socket.write('=')
  const [answer] = await answered
  expect(answer.toString()).toMatch(/^HTTP\/1.1 [^1]/)
  expect(await started.ended).toBe(0)
  await nothingRuns(dataDir)
})

test('links that a command prints lead to the service that runs, or to PUBLIC_URL where it is set', async () => {
  const dataDir = await aUsedDataDir()
  const started = await aRunningInstallation(dataDir)
  const signIn = async (env: Record<string, string> = {}) => {
    // Empty is unset: the command finds the database and the secret by itself.
    const own = { DATA_DIR: dataDir, SECRET_KEY: '', ...env }
    const { stdout, stderr } = await depeche('', ['editor', 'sign-in', 'desk@newsroom.example'], own)
    expect(stderr).toBe('')
    return new URL(stdout)
  }
  const link = await signIn()
  expect(link.origin).toBe(new URL(started.urlOf('Read')).origin)
  expect((await fetch(link)).status).toBe(200)
  expect((await signIn({ PUBLIC_URL: 'https://rivage.example' })).origin).toBe('https://rivage.example')

  // A killed service leaves its note behind; it is believed no more.
  for (const { pid } of processesOf(dataDir)) killQuietly(pid)
  await nothingRuns(dataDir)
  expect(readdirSync(dataDir)).toContain('running.json')
  expect((await signIn()).origin).toBe('http://localhost:3000')
})

test('START-14 a command of another version whose migrations are refused says so, and ends', async () => {
  const dataDir = await aUsedDataDir()
  await aRunningInstallation(dataDir)
  const url = (await findPostgres(dataDir)) ?? ''
  await query(url, "update migrations set sha256 = 'another' where name like '0001%'")
  const { code, stderr } = await depeche('', ['newsletter', 'list'], { DATA_DIR: dataDir })
  expect(code).toBe(1)
  expect(stderr).toContain('0001_foundation.sql is not the file')
  await query(url, "update migrations set sha256 = null where name like '0001%'")
})

test('START-13 with --empty nothing is invented; where data exist it is refused, and reset is the way', async () => {
  const dataDir = aDataDir()
  const started = await aRunningInstallation(dataDir, {}, ['--empty'])
  const desk = started.urlOf('Desk')
  const opened = await fetch(desk, { method: 'POST', redirect: 'manual' })
  const cookie = (opened.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  const page = await fetch(new URL('/desk/newsletters', desk), { headers: { cookie } })
  expect(await page.text()).toContain('Aucune lettre pour l’instant.')

  const refused = spawnStart({ DATA_DIR: dataDir }, ['--empty'])
  expect(await refused.ended).toBe(1)
  expect(refused.output()).toMatch(/^There is a newsroom in .*: npm run reset -- --empty\n$/)

  const reset = spawnStart({ DATA_DIR: dataDir }, ['--reset', '--empty'])
  expect(await reset.ended).toBe(0)
  // The next start finds it, as this one did.
  expect(readdirSync(dataDir)).toEqual(['empty'])
})
