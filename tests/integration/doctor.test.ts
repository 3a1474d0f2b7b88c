import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { judgeClock } from '../../src/cli/doctor-checks.ts'
import { depeche } from '../support/cli.ts'
import { cloneDatabase } from '../support/database.ts'
import { aRedis } from '../support/redis.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

/** What `depeche doctor` says about these, by their names. */
async function doctor(databaseUrl: string, env: Record<string, string>) {
  const { stdout } = await depeche(databaseUrl, ['doctor', '--json'], env)
  const { findings } = JSON.parse(stdout) as {
    findings: { name: string; isGood: boolean; sentence: string }[]
  }
  return Object.fromEntries(findings.map(({ name, isGood, sentence }) => [name, { isGood, sentence }]))
}

test('a relay, a database and a Redis that are as they should be', async () => {
  const sink = await aSmtpSink()
  const redis = await aRedis()
  const found = await doctor(await cloneDatabase(), {
    SMTP_URL: sink.url,
    REDIS_URL: redis.url,
    PUBLIC_URL: 'https://rivage.example',
  })
  expect(found).toMatchObject({
    links: { isGood: true },
    relay: { isGood: true, sentence: 'answers (TLS off), takes international addresses' },
    database: { isGood: true },
    clock: { isGood: true },
    restored: { isGood: true },
    redis: { isGood: true, sentence: 'answers, and evicts nothing' },
    disk: { isGood: true },
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
  expect(found['redis']).toMatchObject({ isGood: false })
  expect(found['redis']?.sentence).toContain('set maxmemory-policy noeviction')
  expect(found['relay']).toMatchObject({ isGood: false })
  expect(found['relay']?.sentence).toMatch(
    /turns us away .*554 5\.7\.1 Not you.*check user, password and tls=/,
  )
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
    expect(found[name]).toMatchObject({ isGood: false, sentence: expect.stringContaining(advice) as string })
  }
  expect(found['links']?.sentence).toContain('are not https')
  expect(found['disk']).toBeDefined()
})

test('a clock is judged by how far it is off, and which way', () => {
  expect(judgeClock(1_500).isGood).toBe(true)
  expect(judgeClock(60_000).sentence).toContain("is 60 s ahead of the database's")
  expect(judgeClock(-90_000).sentence).toContain("is 90 s behind the database's")
})
