import { expect, test } from 'vitest'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aSender } from '../support/sending.ts'
import { countByState, aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink, type SinkFault } from '../support/smtp-sink.ts'
import { isLong } from '../support/fault-arena.ts'

const readers = isLong ? 1_000 : 100
const connections = 4

/** Sends a digest to its end through a server with these faults; waits are short. */
async function sendThrough(faults: SinkFault[], policy: 'resend_once' | 'hold' = 'resend_once') {
  const url = await cloneDatabase()
  const database = openTestDatabase(url)
  const sink = await aSmtpSink({ isKeeping: false })
  sink.faults.push(...faults)
  const { digestId } = await aSendingDigest(url, { readers, policy })
  const limits = { openMs: 2_000, commandMs: 1_000, bodyMs: 2_000, finalDotMs: 1_000 }
  const { sending } = await aSender(database, { smtpUrl: sink.url, connections, limits })
  await expect
    .poll(
      async () => {
        await sending.recover()
        await sending.deliverDigest(digestId)
        return (await query<{ state: string }>(url, 'select state from digests'))[0]?.state
      },
      { timeout: 150_000, interval: 100 },
    )
    .not.toBe('sending')
  const copies = new Map<string, number>()
  for (const { to } of sink.received) for (const one of to) copies.set(one, (copies.get(one) ?? 0) + 1)
  const counts = await countByState(database, digestId)
  const most = Math.max(0, ...copies.values())
  const duplicates = [...copies.values()].reduce((sum, n) => sum + n - 1, 0)
  return { counts, copies, most, duplicates }
}

test.each(['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'body'] as const)(
  'a server that closes at %s now and then: everybody gets one copy',
  { timeout: 180_000 },
  async (at) => {
    // A short message may be out whole when the server closes in its middle: a doubt, and more of them than there are
    // connections pause the digest.
    const times = at === 'body' ? connections : 10
    const { counts, most, copies } = await sendThrough([{ at, do: 'close', every: 7, times }])
    expect(counts).toMatchObject({ accepted: readers })
    expect(copies.size).toBe(readers)
    expect(most).toBe(1)
  },
)

test.each(['close', 'reset', 'hang', 'partial', 'partial-close'] as const)(
  'after the dot: %s',
  { timeout: 180_000 },
  async (how) => {
    const fault: SinkFault = { at: 'dot', do: how, recipients: '^reader-(17|42)@', times: 2 }
    const resent = await sendThrough([{ ...fault }])
    expect(resent.counts.accepted + resent.counts.uncertain).toBe(readers)
    expect(resent.most).toBe(2)
    expect(resent.duplicates).toBeLessThanOrEqual(2)
    const held = await sendThrough([{ ...fault }], 'hold')
    expect(held.counts).toMatchObject({ accepted: readers - 2, uncertain: 2 })
    expect(held.most).toBe(1)
  },
)

test.each(['421 4.3.2 Closing', '451 4.3.0 Try later'])(
  '%s for a while',
  { timeout: 180_000 },
  async (reply) => {
    const { counts, most } = await sendThrough([{ at: 'mail', do: 'reply', reply, times: 8 }])
    expect(counts).toMatchObject({ accepted: readers })
    expect(most).toBe(1)
  },
)

test('550 at RCPT for some: they are rejected, and nobody else', { timeout: 180_000 }, async () => {
  const { counts } = await sendThrough([
    { at: 'rcpt', do: 'reply', reply: '550 5.1.1 Unknown', recipients: '^reader-\\d*9@' },
  ])
  expect(counts).toMatchObject({ rejected: readers / 10, accepted: (readers * 9) / 10 })
})

test(
  'more answers missing than there are connections: the digest pauses itself',
  { timeout: 180_000 },
  async () => {
    const { counts, most } = await sendThrough([{ at: 'dot', do: 'close' }], 'hold')
    expect(counts.uncertain).toBeGreaterThan(connections)
    expect(counts.uncertain).toBeLessThanOrEqual(3 * connections)
    expect(most).toBe(1)
  },
)
