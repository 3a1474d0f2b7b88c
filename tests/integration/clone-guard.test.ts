import { expect, inject, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase, createDatabaseNamed, openTestDatabase } from '../support/database.ts'
import { aSender } from '../support/sending.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { aCluster, restoreInto } from '../support/cluster.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

/** A copy of the database beside the original, as a restored dump is: everything the same but who it is. */
async function copyOf(url: string): Promise<string> {
  const original = new URL(url).pathname.slice(1)
  const copy = new URL(url)
  copy.pathname = `/${original}_copy`
  await createDatabaseNamed(inject('postgresUrl'), `${original}_copy`, original)
  onTestFinished(async () => {
    await query(inject('postgresUrl'), `drop database ${original}_copy`)
  })
  return copy.href
}

/** Another cluster altogether, with another identity. */
async function inAnotherCluster(url: string): Promise<string> {
  const cluster = await aCluster()
  await restoreInto(cluster.url, url)
  return cluster.url
}

test.each([
  ['restored beside the original', copyOf],
  ['restored into another cluster', inAnotherCluster],
])(
  'P11 a copy %s sends nothing until confirmed, and then only what waited',
  { timeout: 180_000 },
  async (_where, makeCopy) => {
    const original = await cloneDatabase()
    const { digestId } = await aSendingDigest(original, { readers: 20 })
    await query(original, `update deliveries set state = 'accepted' where subscriber_id % 2 = 0`)
    await query(original, `insert into outbox (kind, address) values ('desk-notice', 'desk@rivage.example')`)
    const context = createContext(aConfig(original), { log: createLogger('silent', 'worker') })
    await context.services.presence.beat()
    await context.close()

    const copy = await makeCopy(original)
    const database = openTestDatabase(copy)
    const sink = await aSmtpSink()
    const { sending, presence } = await aSender(database, { smtpUrl: sink.url })
    expect(presence.obstacle()).toBe('restored')
    // Not even a worker that has not noticed yet: the claim asks for itself.
    await sending.deliverDigest(digestId)
    await sending.deliverMail()
    expect(sink.received).toEqual([])
    expect(await database.stores.digests.get(digestId)).toMatchObject({ state: 'paused', reason: 'restored' })

    const desk = createContext(aConfig(copy), {
      log: createLogger('silent', 'web'),
    })
    onTestFinished(() => desk.close())
    expect(await desk.services.restoredCopy.confirm({ kind: 'cli', role: 'admin' })).toBe(1)
    await presence.beat()
    await sending.deliverDigest(digestId)
    await sending.deliverMail()
    expect(sink.received).toHaveLength(11)
    await expect(desk.services.restoredCopy.confirm({ kind: 'cli', role: 'admin' })).rejects.toMatchObject({
      code: 'not_held',
    })
  },
)

test('P11 files that were copied send nothing; the same files, started again, go on', async () => {
  const cluster = await aCluster()
  const { digestId } = await aSendingDigest(cluster.url, { readers: 3 })
  const sink = await aSmtpSink()
  const beatLongAgo = async (url: string) => {
    const { presence } = await aSender(openTestDatabase(url), { smtpUrl: sink.url })
    await query(url, `update instance_guard set beat_at = now() - interval '10 minutes'`)
    return presence.obstacle()
  }
  expect(await beatLongAgo(cluster.url)).toBeUndefined()
  await cluster.crash(() => Promise.resolve())
  expect(await beatLongAgo(cluster.url)).toBeUndefined()
  // However soon it is started: no promotion, no other place.
  await query(cluster.url, 'update instance_guard set beat_at = now()')
  const copy = await cluster.copyFiles()
  const database = openTestDatabase(copy)
  const { presence, sending } = await aSender(database, { smtpUrl: sink.url })
  expect(presence.obstacle()).toBe('restored')
  await sending.deliverDigest(digestId)
  expect(sink.received).toEqual([])
  expect(await database.stores.digests.get(digestId)).toMatchObject({ state: 'paused', reason: 'restored' })
})

test.each([
  ['a promotion of a standby', '10 seconds', undefined],
  ['a recovery to a point in time', '10 minutes', 'restored'],
])('%s', async (_what, silence, obstacle) => {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { presence } = await aSender(database, { smtpUrl: sink.url })
  expect(presence.obstacle()).toBeUndefined()
  await query(
    url,
    `update instance_guard set timeline = timeline - 1, files = 'elsewhere', beat_at = now() - $1::interval`,
    [silence],
  )
  await presence.beat()
  expect(presence.obstacle()).toBe(obstacle)
})
