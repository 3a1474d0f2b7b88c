import fc from 'fast-check'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { doubtDecisions, type DoubtDecision } from '../../src/domain/delivery/delivery.ts'
import type { Actor } from '../../src/domain/editor.ts'
import { DomainError } from '../../src/errors.ts'
import { killPoints, type KillPoint } from '../../src/services/delivery/kill-points.ts'
import { isLong } from '../support/fault-arena.ts'
import { aLedgerRoom, compare, listUnbalanced, type LedgerRoom } from '../support/ledger-room.ts'
import { query } from '../support/sending-digest.ts'
import type { SinkFault } from '../support/smtp-sink.ts'

const readers = isLong ? 60 : 24
const editor: Actor = { kind: 'cli', role: 'admin' }

/** What a model of all this must remember: the machine is judged by its ledger and the server's record, not by it. */
interface Model {
  sent: number
  published: number
  left: number
}
type Step = fc.AsyncCommand<Model, LedgerRoom>

/** A step; the equation holds after each. */
const step = (name: string, run: (room: LedgerRoom, model: Model) => Promise<unknown>): Step => ({
  check: () => true,
  toString: () => name,
  async run(model, room) {
    await run(room, model)
    expect(await listUnbalanced(room.url)).toEqual([])
  },
})

/** A digest in another state refuses, and that is right. */
async function unlessRefused(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof DomainError && error.kind === 'conflict')) throw error
  }
}

const faults: Record<string, SinkFault[]> = {
  none: [],
  'no answer to two': [{ at: 'dot', do: 'close', times: 2 }],
  'lost before it was kept': [{ at: 'unrecorded-dot', do: 'reset', times: 2 }],
  'cut off mid body': [{ at: 'body', do: 'reset', times: 3 }],
  'asked to wait': [{ at: 'rcpt', do: 'reply', reply: '450 4.2.1 Later', times: 5 }],
  'an unknown recipient': [{ at: 'rcpt', do: 'reply', reply: '550 5.1.1 Unknown', times: 1 }],
  'no sender is good': [{ at: 'mail', do: 'reply', reply: '550 5.7.1 No', times: 6 }],
  'slow to answer two, for longer than a lease': [{ at: 'dot', do: 'late', ms: 5_000, times: 2 }],
  'slow to answer one, until something else is wrong': [{ at: 'dot', do: 'late', times: 1 }],
  'away for a moment': [{ at: 'greeting', do: 'close', times: 4 }],
}

const onLatest = (act: 'pause' | 'resume' | 'cancel') =>
  step(act, async ({ context }, { sent }) => {
    if (sent > 0) await unlessRefused(context.services.digestTransitions[act](sent, editor))
  })

const decide = (decision: DoubtDecision) =>
  step(decision, async ({ context }, { sent }) => {
    const idempotencyKey = `${decision}-${Math.random()}`
    if (sent > 0)
      await unlessRefused(context.services.doubts.decide(sent, { actor: editor, decision, idempotencyKey }))
  })

const steps = [
  fc.constant(
    step('send news', async (room, model) => {
      await room.sendNews()
      model.sent += 1
      model.published += 1
    }),
  ),
  fc.constant(step('start a worker', (room) => room.startWorker())),
  fc
    .record({ at: fc.constantFrom(...killPoints), n: fc.integer({ min: 1, max: 12 }) })
    .map(({ at, n }: { at: KillPoint; n: number }) =>
      step(`start a worker that dies ${at}, ${n}`, (room) => room.startWorker(`${at}:${n}`)),
    ),
  fc.constant(
    step('ring for all that waits, many times at once', ({ context }) =>
      Promise.all([1, 2, 3].map(() => context.services.reconciling.reconcile())),
    ),
  ),
  fc.constant(step('kill -9 of all workers', (room) => room.killAll())),
  fc.constantFrom(...Object.keys(faults)).map((name) =>
    step(`SMTP: ${name}`, (room) => {
      room.setFaults(faults[name] ?? [])
      return Promise.resolve()
    }),
  ),
  fc.constantFrom('pause' as const, 'resume' as const, 'cancel' as const).map(onLatest),
  fc.constantFrom(...doubtDecisions).map(decide),
  fc.constant(
    step('withdraw the latest story', async ({ context }, model) => {
      const [latest] = (await context.services.articles.list({ limit: 1, after: undefined })).data
      if (latest && model.published > 0)
        await unlessRefused(context.services.articles.withdraw(latest.externalId, 'Erreur', editor))
    }),
  ),
  fc.constant(
    step('a reader leaves', async ({ url }, model) => {
      model.left += 1
      await query(
        url,
        `update subscriptions set state = 'ended', ended_reason = 'unsubscribed', ended_at = now()
         where state = 'active' and subscriber_id = (select id from subscribers order by id offset $1 limit 1)`,
        [model.left],
      )
    }),
  ),
  fc.integer({ min: 1, max: readers / 2 }).map((n) =>
    step(`wait for ${n} copies or a moment`, async (room) => {
      const before = room.record().length
      for (let tries = 0; tries < 20 && room.record().length < before + n; tries++) await sleep(50)
    }),
  ),
] satisfies fc.Arbitrary<Step>[]

/** Everything works again: what was started comes to its end. */
async function settle(room: LedgerRoom): Promise<void> {
  room.setFaults([])
  await room.startWorker()
  const deadline = Date.now() + 120_000
  const listOpen = () =>
    query<{ id: number; state: string }>(
      room.url,
      `select id::int, state from digests g where state in ('preparing', 'sending', 'paused') or exists (
         select from deliveries d where d.digest_id = g.id and d.state in ('pending', 'claimed', 'committing', 'deferred'))`,
    )
  for (let open = await listOpen(); open.length > 0; open = await listOpen()) {
    if (Date.now() > deadline) throw new Error(`never came to an end: ${JSON.stringify(open)}`)
    for (const { id, state } of open) {
      if (state === 'paused') await unlessRefused(room.context.services.digestTransitions.resume(id, editor))
    }
    await sleep(200)
  }
}

async function judge(room: LedgerRoom): Promise<{ copies: number; doubled: number; uncertain: number }> {
  expect(await listUnbalanced(room.url)).toEqual([])
  const { copies, forged } = await compare(room)
  expect(forged).toEqual([])
  const isRight = ({ state, ambiguous, copies: n }: (typeof copies)[number]) =>
    // Accepted once, and beyond that only what was declared in doubt.
    n <= ambiguous + Number(state === 'accepted') && (state !== 'accepted' || n > 0)
  expect(copies.filter((copy) => !isRight(copy))).toEqual([])
  const stories = copies
    .filter((copy) => copy.copies > 0)
    .flatMap(({ subscriberId, articleIds }) =>
      articleIds.map((articleId) => `${subscriberId} has ${articleId}`),
    )
  expect(stories.filter((story, at) => stories.indexOf(story) !== at)).toEqual([])
  return {
    copies: copies.reduce((sum, copy) => sum + copy.copies, 0),
    doubled: copies.filter((copy) => copy.copies > 1).length,
    uncertain: copies.filter((copy) => copy.state === 'uncertain').length,
  }
}

test(
  'P1 P8 P9 the ledger and the sending machine, by a model: nothing twice but what was in doubt, and it adds up',
  { timeout: 30 * 60_000 },
  async () => {
    const property = fc.asyncProperty(
      fc.commands(steps, { maxCommands: isLong ? 30 : 14, size: 'max' }),
      fc.constantFrom('resend_once' as const, 'hold' as const),
      async (commands, policy) => {
        const room = await aLedgerRoom(readers, policy)
        try {
          await room.sendNews()
          await fc.asyncModelRun(() => ({ model: { sent: 1, published: 1, left: 0 }, real: room }), commands)
          await settle(room)
          console.log(
            `ledger, ${policy}: ${[...commands].map(String).join(', ')}: ${JSON.stringify(await judge(room))}`,
          )
        } finally {
          await room.close()
        }
      },
    )
    await fc.assert(property, { numRuns: isLong ? 40 : 4, endOnFailure: true })
  },
)
