import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import type { Actor } from '../../src/domain/editor.ts'
import { createLogger } from '../../src/log.ts'
import { anArticle } from '../support/articles.ts'
import { aConfig } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { isLong } from '../support/fault-arena.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { spawnWorker, type WorkerProcess } from '../support/worker-process.ts'

const cli: Actor = { kind: 'cli', role: 'admin' }
// A third of them is where a worker is killed.
const readers = isLong ? 1_200 : 120
const connections = 4

/** A digest of two stories, prepared, and as many real workers as a test starts. */
async function aRoom(policy: 'resend_once' | 'hold' = 'resend_once', stories = ['retiré', 'reste']) {
  const url = await cloneDatabase()
  const sink = await aSmtpSink()
  const workers: WorkerProcess[] = []
  const context = createContext(aConfig(url), { log: createLogger('silent', 'web'), maxConnections: 5 })
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.kill()))
    await context.close()
  })
  const { database, services } = context
  await services.publication.set(
    { name: 'Le Rivage', languages: ['fr'], postalAddress: '1, quai des Voiles', ambiguousPolicy: policy },
    cli,
  )
  await services.editors.add({ email: 'desk@rivage.example', role: 'editor', language: 'fr' }, cli)
  const newsletter = await aNewsletter(database, { cadences: [] })
  for (const externalId of stories) await anArticle(database, { externalId, title: externalId })
  for (let n = 0; n < readers; n++) await aSubscriber(database, { newsletter })
  const { id: digestId, version } = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  const request = { actor: cli, version: () => version, idempotencyKey: 'once', body: {} }
  await services.digestTransitions.send(digestId, request)
  await services.preparing.prepare(digestId)
  const { id: storyId } = await services.articles.get('retiré')
  const copies = () => sink.received.filter(({ messageId }) => messageId.startsWith(`<${digestId}.`))
  return {
    url,
    context,
    digestId,
    storyId,
    copies,
    storyCopies: () => copies().filter(({ raw }) => raw.includes(`article ${storyId}\r\n`)),
    async startWorker(killAt?: string) {
      const env = killAt === undefined ? {} : { KILL_AT: killAt }
      const options = { databaseUrl: url, smtpUrl: sink.url, connections, leaseSeconds: 2, env }
      const worker = await spawnWorker(options)
      workers.push(worker)
      return worker
    },
    /** @returns a moment after its commit */
    async withdraw(): Promise<Date> {
      await services.articles.withdraw('retiré', 'Erreur', cli)
      return database.stores.clock.now()
    },
    untilOver: () =>
      expect
        .poll(async () => (await database.stores.digests.get(digestId)).state, { timeout: 60_000 })
        .toMatch(/^completed/),
    /** Mails with the story that were let go after that moment. */
    countLate: async (moment: Date) =>
      (
        await query<{ n: number }>(
          url,
          `select count(*)::int as n from deliveries d join variants v on v.id = d.variant_id
           where d.digest_id = $1 and v.article_ids @> array[$2::bigint] and d.committing_at > $3`,
          [digestId, storyId, moment],
        )
      )[0]?.n,
  }
}

type Room = Awaited<ReturnType<typeof aRoom>>

/** What the desk reads, beside the mailboxes: who has the story, and who may have it. */
async function expectTruth({ context, url, digestId, storyCopies }: Room) {
  const { articles, variants, audience } = await context.services.digests.get(digestId)
  const { readers: have = 0, inDoubt = 0 } = articles.find(({ externalId }) => externalId === 'retiré') ?? {}
  const people = new Set(storyCopies().flatMap(({ to }) => to)).size
  expect(have).toBeLessThanOrEqual(people)
  expect(people).toBeLessThanOrEqual(have + inDoubt)
  const [notice] = await query<{ payload: { values: { count: number } } }>(
    url,
    `select payload from outbox where kind = 'desk-notice' and payload->>'notice' = 'article_withdrawn'`,
  )
  expect(notice?.payload.values.count ?? 0).toBeLessThanOrEqual(have)
  expect(variants.reduce((sum, variant) => sum + variant.readers, 0)).toBe(audience)
}

test('a story withdrawn after kill -9 reaches nobody any more, in a first or in a second copy', async () => {
  const room = await aRoom()
  const worker = await room.startWorker(`after-dot:${readers / 3}`)
  expect(await worker.exited).toBe('SIGKILL')
  const before = room.storyCopies().length
  const inFlight = await query(room.url, `select from deliveries where state = 'committing'`)
  expect(inFlight.length).toBeGreaterThan(0)

  const moment = await room.withdraw()
  await Promise.all([room.startWorker(), room.startWorker()])
  await room.untilOver()
  expect(room.storyCopies()).toHaveLength(before)
  expect(await room.countLate(moment)).toBe(0)
  // Nobody is lost: those in flight have the rest of the digest, the others their one copy.
  expect(new Set(room.copies().flatMap(({ to }) => to)).size).toBe(readers)
  const second = await query(room.url, `select from deliveries where ambiguous > 0 and state = 'accepted'`)
  expect(second).toHaveLength(inFlight.length)
  await expectTruth(room)
})

test('hold: who is in doubt when a story is withdrawn gets the digest without it, if the desk sends again', async () => {
  const room = await aRoom('hold')
  const worker = await room.startWorker(`after-dot:${readers / 3}`)
  expect(await worker.exited).toBe('SIGKILL')
  await room.startWorker()
  await room.untilOver()
  const before = room.storyCopies().length
  const moment = await room.withdraw()
  await room.context.services.doubts.decide(room.digestId, {
    actor: cli,
    decision: 'resend',
    idempotencyKey: 'again',
  })
  await expect
    .poll(async () => (await room.context.database.stores.digests.get(room.digestId)).state, {
      timeout: 60_000,
    })
    .toBe('completed')
  expect(room.storyCopies()).toHaveLength(before)
  expect(await room.countLate(moment)).toBe(0)
})

test('a story that was all there was: what comes back from a dead worker is not sent, not even empty', async () => {
  const room = await aRoom('resend_once', ['retiré'])
  const worker = await room.startWorker(`after-committing:${readers / 3}`)
  expect(await worker.exited).toBe('SIGKILL')
  const before = room.copies().length
  await room.withdraw()
  await room.startWorker()
  await room.untilOver()
  expect(room.copies()).toHaveLength(before)
})

test('a story withdrawn while two workers send is in no mail that is let go later', async () => {
  const room = await aRoom()
  await Promise.all([room.startWorker(), room.startWorker()])
  await expect.poll(() => room.copies().length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(readers / 6)
  const moment = await room.withdraw()
  await room.untilOver()
  expect(await room.countLate(moment)).toBe(0)
  expect(room.copies()).toHaveLength(readers)
  await expectTruth(room)
})
