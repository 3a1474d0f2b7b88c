import { expect, test } from 'vitest'
import type { Writers } from '../../src/services/delivery/send-one.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { plainWriters } from '../support/plain-writers.ts'
import { aSender, type SenderOptions } from '../support/sending.ts'
import { countByState, aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

/** A worker, and how often it has begun to read the digest. */
async function aReader(read: Writers['digest'], options: Partial<SenderOptions> = {}) {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink()
  const { digestId } = await aSendingDigest(url, { readers: 40 })
  let reads = 0
  const digest: Writers['digest'] = (id) => {
    reads++
    return read(id)
  }
  const sender = await aSender(database, { smtpUrl: sink.url, writers: { digest }, ...options })
  const counts = () => countByState(database, digestId)
  return { ...sender, databaseUrl: url, sink, digestId, counts, reads: () => reads }
}

test('eight rings at once read and run the digest once', async () => {
  const { sending, sink, digestId, reads } = await aReader(plainWriters.digest)
  await Promise.all(Array.from({ length: 8 }, () => sending.deliverDigest(digestId)))
  expect(reads()).toBe(1)
  expect(sink.received).toHaveLength(40)
})

test('a digest that could not be read can be begun again', async () => {
  const failures = [new Error('the database is away')]
  const { sending, sink, digestId } = await aReader((id) => {
    const failure = failures.pop()
    return failure ? Promise.reject(failure) : plainWriters.digest(id)
  })
  await expect(sending.deliverDigest(digestId)).rejects.toThrow('the database is away')
  await sending.deliverDigest(digestId)
  expect(sink.received).toHaveLength(40)
})

test('a worker that is told to end while it reads a digest begins nothing', async () => {
  const { promise: told, resolve: tell } = Promise.withResolvers<undefined>()
  const { sending, sink, digestId, counts } = await aReader(async (id) => {
    await told
    return plainWriters.digest(id)
  })
  const run = sending.deliverDigest(digestId)
  await sending.drain()
  tell(undefined)
  await run
  expect(sink.received).toHaveLength(0)
  expect(await counts()).toMatchObject({ pending: 40 })
})

test('the next run begins beside one that waits for a slow answer, and both keep to the connections', async () => {
  const { sending, sink, digestId, counts } = await aReader(plainWriters.digest, { connections: 3 })
  sink.faults.push({ at: 'dot', do: 'late', recipients: '^reader-2@' })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '450 4.2.1 Later', recipients: '^reader-9@', times: 1 })
  const first = sending.deliverDigest(digestId)
  await expect.poll(counts, { timeout: 20_000 }).toMatchObject({ accepted: 38, committing: 1, deferred: 1 })
  await expect
    .poll(
      async () => {
        await sending.recover()
        await sending.deliverDigest(digestId, 'over')
        return counts()
      },
      { timeout: 20_000 },
    )
    .toMatchObject({ accepted: 39, committing: 1 })
  expect(sink.connections()).toBeLessThanOrEqual(3)
  sink.faults.splice(0)
  await first
  expect(await counts()).toMatchObject({ accepted: 40 })
  expect(sink.received).toHaveLength(40)
})

test('leave to send that a run did not use is there for the next', async () => {
  const { sending, digestId, counts, databaseUrl } = await aReader(plainWriters.digest, { rate: '45/h' })
  await sending.deliverDigest(digestId)
  expect(await counts()).toMatchObject({ accepted: 40 })
  for (let n = 0; n < 5; n++) {
    await query(
      databaseUrl,
      `insert into outbox (kind, address) values ('desk-notice', 'desk@rivage.example')`,
    )
    await sending.deliverMail()
  }
  expect(await query(databaseUrl, 'select distinct state from outbox')).toEqual([{ state: 'accepted' }])
})
