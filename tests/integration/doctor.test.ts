import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { expect, inject, onTestFinished, test } from 'vitest'
import { isHere, judgeClock, judgeConnection } from '../../src/doctor/checks.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import { startInboundServer } from '../../src/mail/inbound/inbound-server.ts'
import { inspectRedis } from '../../src/queue/inspect-redis.ts'
import { depeche } from '../support/cli.ts'
import { testSecret } from '../support/config.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { query } from '../support/query.ts'
import { aRedis } from '../support/redis.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber } from '../support/subscribers.ts'

/** What `depeche doctor` says about these, by their names. */
async function doctor(databaseUrl: string, env: Record<string, string>) {
  const { stdout } = await depeche(databaseUrl, ['doctor', '--json'], env)
  const { findings } = JSON.parse(stdout) as {
    findings: { name: string; verdict: string; sentence: string }[]
  }
  return Object.fromEntries(findings.map(({ name, verdict, sentence }) => [name, { verdict, sentence }]))
}

test('a relay, a database and a Redis that are as they should be', async () => {
  const sink = await aSmtpSink()
  const redis = await aRedis()
  const found = await doctor(await cloneDatabase(), {
    SMTP_URL: sink.url,
    REDIS_URL: redis.url,
    PUBLIC_URL: 'https://127.0.0.1:1',
  })
  expect(found).toMatchObject({
    // Nobody answers there.
    links: { verdict: 'look' },
    relay: { verdict: 'ok', sentence: 'answers (TLS off), takes international addresses' },
    database: { verdict: 'ok' },
    clock: { verdict: 'look' },
    returns: { verdict: 'look' },
    restored: { verdict: 'ok' },
    // Nobody is there yet whose address was hashed under it.
    keys: { verdict: 'look' },
    redis: { verdict: 'ok', sentence: 'answers, and evicts nothing' },
    disk: {
      verdict: 'ok',
      sentence: expect.stringMatching(/ GB free at .*; look at the database's own, too$/) as string,
    },
  })
})

test('a Redis that evicts, and a relay that turns us away', async () => {
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'greeting', do: 'reply', reply: '554 5.7.1 Not you' })
  const redis = await aRedis()
  const client = new Redis(redis.url)
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  client.disconnect()
  const found = await doctor(await cloneDatabase(), { SMTP_URL: sink.url, REDIS_URL: redis.url })
  expect(found['redis']).toMatchObject({ verdict: 'no' })
  expect(found['redis']?.sentence).toContain('set maxmemory-policy noeviction')
  expect(found['relay']).toMatchObject({ verdict: 'no' })
  expect(found['relay']?.sentence).toMatch(
    /turns us away .*554 5\.7\.1 Not you.*check user, password and tls=/,
  )
})

test('a Redis that takes nothing, and a database whose people are of another SECRET_KEY', async () => {
  const redis = await aRedis()
  const client = new Redis(redis.url)
  await client.config('SET', 'maxmemory', '1')
  const url = await cloneDatabase()
  await aSubscriber(openTestDatabase(url))
  const found = await doctor(url, {
    REDIS_URL: redis.url,
    SECRET_KEY: 'another-key-of-at-least-32-characters',
  })
  client.disconnect()
  expect(found['redis']).toMatchObject({ verdict: 'no' })
  expect(found['redis']?.sentence).toMatch(/^takes nothing \(OOM/)
  expect(found['keys']).toMatchObject({ verdict: 'no' })
})

test('nothing answers: each is named with what to do, and no other check is lost', async () => {
  const nowhere = 'postgres://127.0.0.1:1/depeche'
  const found = await doctor(nowhere, { SMTP_URL: 'smtp://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1' })
  for (const [name, advice] of [
    ['relay', 'check SMTP_URL and that the relay runs'],
    ['database', 'check DATABASE_URL and that the server runs'],
    ['redis', 'check REDIS_URL and that Redis runs'],
  ] as const) {
    expect(found[name]?.sentence).toMatch(/^does not answer \(.*ECONNREFUSED.*\); /)
    expect(found[name]).toMatchObject({ verdict: 'no', sentence: expect.stringContaining(advice) as string })
  }
  expect(found['links']?.sentence).toContain('are not https')
  expect(found['disk']).toBeDefined()
})

test('a database with locale C takes one address for two', async () => {
  const url = new URL(inject('postgresUrl'))
  const name = `test_locale_${process.pid}`
  await query(url.href, `create database ${name} template template0 locale 'C' locale_provider libc`)
  onTestFinished(() => query(inject('postgresUrl'), `drop database ${name}`).then(() => undefined))
  url.pathname = `/${name}`
  await depeche(url.href, ['migrate'])
  expect((await doctor(url.href, {}))['locale']).toMatchObject({ verdict: 'no' })
})

test('links are well where they lead to Dépêche over a certificate that holds', async () => {
  const databaseUrl = await cloneDatabase()
  const directory = await mkdtemp(join(tmpdir(), 'depeche-tls-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const [key, cert] = [`${directory}/key.pem`, `${directory}/cert.pem`]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...[...subject, '-keyout', key, '-out', cert],
  ])
  let answer = '{"status":"up"}'
  const server = createServer(
    { key: await readFile(key), cert: await readFile(cert) },
    (_request, response) => response.end(answer),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const PUBLIC_URL = `https://localhost:${(server.address() as AddressInfo).port}`
  const links = async (env = {}) => (await doctor(databaseUrl, { PUBLIC_URL, ...env }))['links']
  expect(await links({ NODE_EXTRA_CA_CERTS: cert })).toMatchObject({ verdict: 'ok' })
  expect(await links()).toMatchObject({
    verdict: 'look',
    sentence: expect.stringMatching(/^do not answer from here \(.*certificate.*\);/) as string,
  })
  answer = 'Welcome to nginx!'
  expect(await links({ NODE_EXTRA_CA_CERTS: cert })).toMatchObject({ verdict: 'no' })
})

test('a clock is judged by how far it is off, which way, and by whom', () => {
  const by = (name: string, skewMs: number, isHere = false) => ({ name, skewMs, isHere })
  expect(judgeClock([by('PostgreSQL', 1_500), by('Redis', -1_500)])).toMatchObject({
    verdict: 'ok',
    sentence: 'agrees with that of PostgreSQL and Redis',
  })
  expect(judgeClock([by('PostgreSQL', 0, true), by('Redis', 9)]).sentence).toBe('agrees with that of Redis')
  expect(judgeClock([by('PostgreSQL', 0, true)])).toMatchObject({ verdict: 'look' })
  expect(judgeClock([])).toMatchObject({ verdict: 'look' })
  expect(judgeClock([by('PostgreSQL', 60_000)]).sentence).toContain('is 60 s ahead of that of PostgreSQL')
  expect(judgeClock([by('PostgreSQL', 0), by('Redis', -90_000)])).toMatchObject({
    verdict: 'no',
    sentence: expect.stringContaining('is 90 s behind that of Redis') as string,
  })
})

test('a database elsewhere is reached under a certificate that is verified, or a person has to look', () => {
  const verdictOf = (url: string) => judgeConnection(url).verdict
  expect(verdictOf('postgres://depeche@db.example/depeche?sslmode=verify-full')).toBe('ok')
  expect(verdictOf('postgres://depeche@%2Fvar%2Frun%2Fpostgresql/depeche')).toBe('ok')
  for (const url of ['postgres://depeche@db.example/depeche', 'postgres://db.example/depeche?sslmode=prefer'])
    expect(verdictOf(url)).toBe('look')
})

test('Redis tells its clock', async () => {
  const { url } = await aRedis()
  const { time } = await inspectRedis(url, 5_000)
  expect(time.now.getTime()).toBeGreaterThanOrEqual(time.sentAt - 1)
  expect(time.now.getTime()).toBeLessThanOrEqual(time.receivedAt + 1)
})

test('returns need a domain, a port, and somebody who listens there', async () => {
  const databaseUrl = await cloneDatabase()
  const inbound = await startInboundServer({
    host: '127.0.0.1',
    port: 0,
    keyring: createKeyring([testSecret]),
    log: pino({ level: 'silent' }),
    receive: () => Promise.resolve(),
  })
  onTestFinished(() => inbound.close())
  const returns = async (env: Record<string, string>) => (await doctor(databaseUrl, env))['returns']
  const domain = { BOUNCE_DOMAIN: 'bounces.rivage.example' }
  const another = new URL((await aSmtpSink()).url).port
  const listening = [String(inbound.port), another, '1'].map((INBOUND_PORT) => ({ ...domain, INBOUND_PORT }))
  const [unread, nowhere, ours, foreign, nobody] = await Promise.all(
    [domain, { INBOUND_PORT: '2525' }, ...listening].map(returns),
  )
  expect(unread).toMatchObject({
    verdict: 'no',
    sentence: 'nobody reads what comes back to bounces.rivage.example; set INBOUND_PORT',
  })
  expect(nowhere).toMatchObject({
    verdict: 'no',
    sentence: expect.stringContaining('set BOUNCE_DOMAIN') as string,
  })
  expect(ours).toMatchObject({ verdict: 'ok' })
  expect(foreign).toMatchObject({ verdict: 'no' })
  expect(nobody).toMatchObject({
    verdict: 'look',
    sentence: expect.stringMatching(/nobody answers at 127\.0\.0\.1:1 .*; start a worker here/) as string,
  })
})

test('a server by its socket, or on this machine, has our clock', () => {
  const urls = [
    'postgres:///depeche',
    'postgres:///depeche?host=/run/postgresql',
    'postgres://%2Frun%2Fpostgresql/depeche',
    'postgres://[::1]/depeche',
  ]
  expect(urls.filter((url) => !isHere(url))).toEqual([])
  expect(['postgres://db/depeche', 'postgres:///depeche?host=10.0.0.9'].filter(isHere)).toEqual([])
})

test('a newsletter whose sender is no address is named, and no other check is lost', async () => {
  const databaseUrl = await cloneDatabase()
  const newsletter = ['newsletter', 'create', 'le-matin', '--name', 'Le Matin', '--language', 'fr']
  await depeche(databaseUrl, newsletter)
  await query(databaseUrl, `update newsletters set sender = 'Le Matin'`)
  const found = await doctor(databaseUrl, {})
  expect(found['sender']).toMatchObject({ verdict: 'no' })
  expect(found['sender']?.sentence).toContain('le-matin')
  expect(found['database']).toMatchObject({ verdict: 'ok' })
})
