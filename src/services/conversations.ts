import type { SendOutcome } from '../domain/delivery.ts'
import { blameOf } from '../domain/refusal.ts'
import type { Logger } from '../log.ts'
import type { OutgoingMail, Transport } from '../mail/transport.ts'
import type { Lease, Leases } from '../store/leases.ts'
import type { Faults } from './faults.ts'
import { gather } from './gather.ts'
import { persist } from './persist.ts'
import { createStreak } from './streak.ts'

/** What a message is beside its recipient, who is always the row's address. */
export type WrittenMail = Pick<OutgoingMail, 'from' | 'message' | 'envelopeId'>

type Refused = Extract<SendOutcome, { kind: 'refused' }>

export interface ConversationsOptions<Row extends Lease & { address: string }> {
  leases: Leases<Row>
  transport: Transport
  connections: number
  /** Start with one conversation, and with all after its first success: the server was in trouble. */
  isProbing: boolean
  write: (row: Row) => Promise<WrittenMail>
  /** The server turns everyone away, or leaves us in doubt too often. @returns once nothing new can be sent */
  onAlarm: (reason: 'refused' | 'no_answer') => Promise<void>
  /** The server has said no to this mail, or it has ended. */
  onRefused: (row: Row, outcome: Refused) => Promise<void>
  faults: Faults
  log: Logger
}

export interface Conversations {
  /** Resolves when nothing is left to claim, or after `halt`, with nothing in flight and nothing held. */
  finished: Promise<{ accepted: number; isServerInTrouble: boolean }>
  /** Claims nothing more; conversations in flight finish. */
  halt(): void
  /** A heartbeat for every row in hand. */
  extend(): Promise<void>
}

/**
 * Claims mail and keeps `connections` SMTP conversations busy with it until none is left. A conversation records what
 * became of its message before it starts the next: at most one message per connection is ever in doubt.
 */
export function startConversations<Row extends Lease & { address: string }>(
  options: ConversationsOptions<Row>,
): Conversations {
  const { leases, transport, connections, faults, log } = options
  const inHand = new Map<number, Lease>()
  const waiting: Row[] = []
  const batchSize = Math.min(200, connections * 2)
  let after = 0
  let isExhausted = false
  let isHalted = false
  let refilling: Promise<void> | undefined
  let troubles = 0
  let inDoubt = 0
  let accepted = 0
  let lanes = 0
  const lanesDone: Promise<void>[] = []

  const halt = () => {
    isHalted = true
  }
  const alarm = async (reason: 'refused' | 'no_answer') => {
    halt()
    await persist(() => options.onAlarm(reason), log)
  }
  const streak = createStreak({
    reject: (suspects) => persist(() => leases.markRejected(suspects), log),
    acquit: async (suspects) => {
      await alarm('refused')
      await persist(() => leases.release(suspects), log)
    },
  })

  const refill = async () => {
    try {
      const claim = await leases.claim(batchSize, after)
      for (const row of claim.claimed) inHand.set(row.key, row)
      waiting.push(...claim.claimed)
      if (claim.claimed.length > 0) faults('after-claim')
      // Rows that came back lie behind us: once around before giving up.
      if (claim.examined === 0 && after === 0) isExhausted = true
      after = claim.examined === 0 ? 0 : claim.last
    } catch (error) {
      log.warn({ reason: String(error) }, 'nothing could be claimed')
      halt()
    } finally {
      refilling = undefined
    }
  }
  const next = async (): Promise<Row | undefined> => {
    while (!isHalted) {
      if (waiting.length < connections && !isExhausted) refilling ??= refill()
      const row = waiting.shift()
      if (row) return row
      if (!refilling) return undefined
      await refilling
    }
    return undefined
  }

  const commit = gather(async (rows: Row[]) => {
    const granted = await leases.markCommitting(rows)
    return (row) => granted.has(row.key)
  })
  const accept = gather(async (sent: { key: number; answer: string }[]) => {
    await persist(() => leases.markAccepted(sent), log)
    return () => undefined
  })

  const attempt = async (
    row: Row,
  ): Promise<SendOutcome | { kind: 'unknown' | 'unwritten'; error: unknown }> => {
    const gate = { hasFailed: false }
    try {
      const written = await options.write(row)
      faults('before-mail')
      return await transport.send({
        ...written,
        to: row.address,
        beforeFinalDot: async () => {
          faults('mid-body')
          try {
            const isGranted = await commit(row)
            faults('after-committing')
            if (isGranted)
              afterFinalDot(() => {
                faults('after-dot')
              })
            return isGranted
          } catch (error) {
            gate.hasFailed = true
            throw error
          }
        },
      })
    } catch (error) {
      return { kind: gate.hasFailed ? 'unknown' : 'unwritten', error }
    }
  }

  const recordRefusal = async (row: Row, outcome: Refused) => {
    const { answer } = outcome
    const blame = blameOf(outcome)
    troubles = blame === 'server' ? troubles + 1 : 0
    const failure = { reason: `${outcome.stage}_${outcome.code ?? 'failed'}`, answer }
    const hasEnded = await persist(async () => {
      if (blame !== 'person') return leases.markDeferred(row, failure)
      await leases.markRejected([row], failure)
      return true
    }, log)
    if (blame === 'sender') await streak.add(row, outcome.stage === 'data')
    else if (blame !== 'server') await streak.end()
    if (hasEnded || blame !== 'server') await options.onRefused(row, outcome)
    if (troubles >= lanes) halt()
  }

  const record = async (row: Row, outcome: Awaited<ReturnType<typeof attempt>>) => {
    switch (outcome.kind) {
      case 'accepted':
        faults('after-250')
        await accept({ key: row.key, answer: outcome.answer })
        faults('after-accepted')
        accepted++
        troubles = 0
        await streak.end()
        startLanes(connections)
        return
      case 'stopped':
        // Where it waits again, the whole digest was stopped; where it was skipped, only this person.
        if ((await persist(() => leases.release([row]), log)).has(row.key)) halt()
        return
      case 'refused':
        await recordRefusal(row, outcome)
        return
      case 'ambiguous':
        await persist(() => leases.markAmbiguous(row, outcome.answer), log)
        if (++inDoubt > connections) await alarm('no_answer')
        return
      case 'unknown':
        await persist(() => leases.release([row]), log)
        return
      case 'unwritten':
        log.error({ err: outcome.error }, 'a message could not be written')
        await persist(() => leases.markDeferred(row, { reason: 'not_written', answer: '' }), log)
        await streak.add(row, true)
    }
  }

  const lane = async () => {
    for (let row = await next(); row; row = await next()) {
      await record(row, await attempt(row))
      inHand.delete(row.key)
    }
  }
  const startLanes = (count: number) => {
    for (; lanes < count && !isHalted; lanes++) lanesDone.push(lane())
  }

  const run = async () => {
    startLanes(options.isProbing ? 1 : connections)
    // Lanes may start others while they are awaited.
    for (let n = 0; n < lanesDone.length; n++) await lanesDone[n]
    await streak.end()
    await refilling
    if (waiting.length > 0) await persist(() => leases.release(waiting), log)
    inHand.clear()
    return { accepted, isServerInTrouble: troubles > 0 }
  }
  return {
    finished: run(),
    halt,
    extend: async () => {
      if (inHand.size > 0) await leases.extend([...inHand.values()])
    },
  }
}

/** The dot is written before the event loop turns, and no reply can have been read by then. */
const afterFinalDot = (work: () => void): void => {
  setImmediate(work)
}
