import { connect } from 'node:net'
import { once } from 'node:events'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sealReference, type ReferencePurpose } from '../../src/domain/delivery/mail-reference.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import { openInboundReader, type InboundReader } from '../../src/mail/inbound/inbound-reader.ts'
import { startInboundServer } from '../../src/mail/inbound/inbound-server.ts'
import { createBounceService } from '../../src/services/deliverability/bounces.ts'
import { openDatabase } from '../../src/store/database.ts'
import { aConfig, testSecret } from '../support/config.ts'
import { cloneDatabase } from '../support/database.ts'
import { aComplaint, aDeliveryReport } from '../support/reports.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'

const keyring = createKeyring([testSecret])

/** A digest under way to `readers`, and the listener beside it. */
async function aReturnBox(readers = 3, reader?: InboundReader) {
  const databaseUrl = await cloneDatabase()
  const { digestId } = await aSendingDigest(databaseUrl, { readers })
  const database = openDatabase({ url: databaseUrl, max: 5 })
  onTestFinished(() => database.close())
  const log = pino({ level: 'silent' })
  const clock = { now: new Date() }
  const doorbell = {
    ring: () => Promise.resolve(),
    close: () => Promise.resolve(),
    probe: () => Promise.resolve(),
  }
  const bounces = createBounceService({
    database,
    doorbell: doorbell as never,
    keyring,
    config: aConfig(databaseUrl),
    log,
    now: () => clock.now,
  })
  const receive = vi.fn((mail: Parameters<typeof bounces.receive>[0]) => bounces.receive(mail))
  const server = await startInboundServer({
    host: '127.0.0.1',
    port: 0,
    keyring,
    log,
    receive,
    ...(reader && { reader }),
  })
  onTestFinished(() => server.close())
  const rows = <Row>(statement: string) => query<Row>(databaseUrl, statement)
  const [first] = await rows<{ id: string }>('select id from subscribers order by id limit 1')
  const reference = { kind: 'digest', digestId, subscriberId: Number(first?.id) } as const
  return {
    bounces,
    server,
    receive,
    clock,
    reference,
    rows,
    address: (purpose: ReferencePurpose) =>
      `${purpose === 'unsubscribe' ? 'u' : 'b'}+${sealReference(keyring, purpose, reference)}@bounces.example.org`,
    states: () =>
      rows<{ state: string; ended_reason: string | null }>(
        'select state, ended_reason from subscriptions order by subscriber_id',
      ),
    suppressions: () => rows<{ reason: string }>('select reason from suppressions'),
  }
}

/** Speaks SMTP or LMTP by hand. @returns the last reply's code */
async function hand(port: number, mail: Buffer, envelope: { from?: string; to: string; hello?: string }) {
  const socket = connect(port, '127.0.0.1')
  const reply = async () => {
    let text = ''
    for (;;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      text += chunk.toString()
      if (/^\d{3} .*\r\n$/m.test(text)) return Number(text.trim().split('\r\n').at(-1)?.slice(0, 3))
    }
  }
  const say = (line: string) => {
    socket.write(`${line}\r\n`)
    return reply()
  }
  await reply()
  expect(await say(envelope.hello ?? 'EHLO mx.example')).toBe(250)
  await say(`MAIL FROM:<${envelope.from ?? ''}>`)
  expect(await say(`RCPT TO:<${envelope.to}>`)).toBe(250)
  expect(await say(`RCPT TO:<second@bounces.example.org>`)).toBe(452)
  expect(await say('DATA')).toBe(354)
  socket.write(mail)
  const code = await say('\r\n.')
  socket.destroy()
  return code
}

test.each(['EHLO mx.example', 'LHLO mx.example'])(
  'BNC-1 a report of a dead address, by %s, ends every subscription',
  async (hello) => {
    const box = await aReturnBox()
    expect(await hand(box.server.port, aDeliveryReport(), { to: box.address('bounce'), hello })).toBe(250)
    expect(await box.states()).toEqual([
      { state: 'ended', ended_reason: 'bounced' },
      { state: 'active', ended_reason: null },
      { state: 'active', ended_reason: null },
    ])
    expect(await box.suppressions()).toEqual([{ reason: 'bounced' }])
    const [bounce] = await box.rows<Record<string, unknown>>(
      'select source, class, status, domain, smtp_answer from bounces',
    )
    expect(bounce).toMatchObject({ source: 'dsn', class: 'dead', status: '5.1.1', domain: 'reader.example' })
    expect(JSON.stringify(bounce)).not.toContain('@')
    const endings = await box.rows(`select reason from consents where event = 'ended'`)
    expect(endings).toEqual([{ reason: 'bounced' }])
  },
)

test('BNC-8 a doubtful address is given up at the second bounce on another day', async () => {
  const box = await aReturnBox()
  const doubtful = aDeliveryReport({ recipients: [{ status: '5.2.1', diagnostic: '550 5.2.1 disabled' }] })
  const send = () => hand(box.server.port, doubtful, { to: box.address('bounce') })
  await send()
  await send()
  expect(await box.suppressions()).toEqual([])
  expect(await box.rows('select points::text from bounces')).toHaveLength(1)
  box.clock.now = new Date(box.clock.now.getTime() + 25 * 3_600_000)
  await send()
  expect(await box.suppressions()).toEqual([{ reason: 'bounced' }])
})

test('BNC-8 a mail taken in a week without a bounce makes the past count no more, and no other does', async () => {
  const doubtful = aDeliveryReport({ recipients: [{ status: '5.2.1', diagnostic: '550 5.2.1 disabled' }] })
  const begin = Date.now()
  const day = (n: number) => new Date(begin + n * 24 * 3_600_000)
  // Bounces on days 0 and 20; the mail between them was taken on this day.
  for (const [takenOn, expected] of [
    [10, []],
    [5, [{ reason: 'bounced' }]],
  ] as const) {
    const box = await aReturnBox(1)
    box.clock.now = day(0)
    await hand(box.server.port, doubtful, { to: box.address('bounce') })
    expect(await box.rows('select bounce_score::text from subscribers')).toEqual([{ bounce_score: '1' }])
    await box.rows(`update deliveries set state = 'accepted', accepted_at = '${day(takenOn).toISOString()}'`)
    box.clock.now = day(20)
    await hand(box.server.port, doubtful, { to: box.address('bounce') })
    expect(await box.suppressions()).toEqual(expected)
  }
})

test('BNC-2 a policy report suppresses nobody and tells the desk once a day', async () => {
  const box = await aReturnBox()
  await box.rows(`insert into editors (email, role, language) values ('chief@desk.example', 'admin', 'fr')`)
  const policy = aDeliveryReport({
    recipients: [{ status: '5.7.1', diagnostic: '554 5.7.1 looks like spam' }],
  })
  await hand(box.server.port, policy, { to: box.address('bounce') })
  await hand(box.server.port, policy, { to: box.address('bounce') })
  expect(await box.suppressions()).toEqual([])
  expect((await box.states()).every(({ state }) => state === 'active')).toBe(true)
  expect(await box.rows(`select payload->>'notice' as notice from outbox`)).toEqual([{ notice: 'policy' }])
})

test('BNC-6 a complaint leaves everything, suppresses and keeps its proof without an address', async () => {
  const box = await aReturnBox()
  const mail = aComplaint(`Return-Path: <${box.address('bounce')}>`)
  await hand(box.server.port, mail, { to: 'fbl@bounces.example.org', from: 'feedback@provider.example' })
  expect((await box.states())[0]).toEqual({ state: 'ended', ended_reason: 'complained' })
  expect(await box.suppressions()).toEqual([{ reason: 'complained' }])
  const [{ proof } = { proof: '' }] = await box.rows<{ proof: string }>('select proof from bounces')
  expect(proof).toContain('feedback-type: abuse')
  expect(proof).not.toContain('@')
})

test('UNS-4 a mail to the unsubscribe address ends that newsletter alone, twice over', async () => {
  const box = await aReturnBox()
  const mail = Buffer.from('From: reader-1@reader.example\r\nSubject: unsubscribe\r\n\r\n')
  for (let n = 0; n < 2; n++) {
    const code = await hand(box.server.port, mail, {
      to: box.address('unsubscribe'),
      from: 'reader-1@reader.example',
    })
    expect(code).toBe(250)
  }
  expect((await box.states())[0]).toEqual({ state: 'ended', ended_reason: 'unsubscribed' })
  expect(await box.suppressions()).toEqual([])
})

test('BNC-9 of several recipients only ours counts', async () => {
  const box = await aReturnBox()
  const other = [{ final: 'a@list.example' }, { final: 'b@list.example' }]
  await hand(box.server.port, aDeliveryReport({ recipients: other }), { to: box.address('bounce') })
  expect(await box.suppressions()).toEqual([])
  const reached = [
    { final: 'a@list.example' },
    { final: 'reader-1@reader.example', action: 'delivered', status: '2.0.0' },
  ]
  await hand(box.server.port, aDeliveryReport({ recipients: reached }), { to: box.address('bounce') })
  expect(await box.suppressions()).toEqual([])
  const ours = [
    { final: 'a@list.example', action: 'failed', status: '5.2.2', diagnostic: '552 5.2.2 full' },
    { original: 'Reader-1@reader.example' },
  ]
  await hand(box.server.port, aDeliveryReport({ recipients: ours }), { to: box.address('bounce') })
  expect(await box.suppressions()).toEqual([{ reason: 'bounced' }])
})

test('BNC-7 fifty megabytes are refused, and the listener goes on', async () => {
  const box = await aReturnBox(1)
  const huge = Buffer.alloc(50_000_000, 'Content-Type: text/plain\r\n')
  expect(await hand(box.server.port, huge, { to: box.address('bounce') })).toBe(552)
  expect(box.receive).not.toHaveBeenCalled()
  expect(await hand(box.server.port, aDeliveryReport(), { to: box.address('bounce') })).toBe(250)
  expect(box.receive).toHaveBeenCalledTimes(1)
})

test('BNC-7 a report with a NUL is recorded like any other', async () => {
  const box = await aReturnBox(1)
  const recipients = [{ diagnostic: '550 5.1.1 nobody\0here' }]
  expect(await hand(box.server.port, aDeliveryReport({ recipients }), { to: box.address('bounce') })).toBe(
    250,
  )
  expect(await box.rows('select class, smtp_answer from bounces')).toEqual([
    { class: 'dead', smtp_answer: '550 5.1.1 nobody here' },
  ])
  const complaint = aComplaint(`Return-Path: <${box.address('bounce')}>`, 'abuse', 'X-Field: a\0b')
  expect(await hand(box.server.port, complaint, { to: 'fbl@bounces.example.org' })).toBe(250)
  expect(await box.suppressions()).toEqual([{ reason: 'complained' }])
})

test('BNC-7 while one mail is read without end, the listener greets and refuses others; then it reads on', async () => {
  const script = new URL('../support/stuck-thread.ts', import.meta.url)
  const box = await aReturnBox(1, openInboundReader({ script, timeoutMs: 3_000 }))
  const order: string[] = []
  const stuck = hand(box.server.port, aDeliveryReport(), { to: 'never@ends' }).then((code) => {
    order.push(`read: ${code}`)
  })
  const huge = Buffer.alloc(3_000_000, 'Content-Type: text/plain\r\n')
  const code = await hand(box.server.port, huge, { to: box.address('bounce') })
  order.push(`refused: ${code}`)
  await stuck
  expect(order).toEqual(['refused: 552', 'read: 250'])
  expect(await hand(box.server.port, aDeliveryReport(), { to: box.address('bounce') })).toBe(250)
})

test('what cannot be recorded now is asked for again', async () => {
  const box = await aReturnBox(1)
  box.receive.mockRejectedValueOnce(new Error('database gone'))
  expect(await hand(box.server.port, aDeliveryReport(), { to: box.address('bounce') })).toBe(451)
  expect(await hand(box.server.port, aDeliveryReport(), { to: box.address('bounce') })).toBe(250)
})

test('a refusal seen while sending is judged like a report; a bounced activation ends its request silently', async () => {
  const box = await aReturnBox()
  const refusal = {
    kind: 'refused',
    stage: 'rcpt',
    code: 550,
    status: '5.1.1',
    answer: '550 5.1.1 unknown',
  } as const
  await box.bounces.recordRefusal(box.reference, refusal)
  expect(await box.suppressions()).toEqual([{ reason: 'bounced' }])
  const [request] = await box.rows<{ id: string }>(
    `insert into activations (address, limit_hmac, key_id, language, wanted, form, expires_at)
     values ('new@reader.example', '\\x00', 'k', 'fr', '{}', 'test', now() + interval '7 days') returning id`,
  )
  const [mail] = await box.rows<{ id: string }>(
    `insert into outbox (kind, activation_id, language) values ('activation', '${request?.id}', 'fr') returning id`,
  )
  await box.bounces.recordRefusal(
    { kind: 'outbox', outboxId: Number(mail?.id) },
    { ...refusal, status: '5.1.0' },
  )
  expect(await box.rows('select expires_at <= now() as ended from activations')).toEqual([{ ended: true }])
  expect(await box.suppressions()).toHaveLength(1)
})

test('BNC-1 a mail that was put off until its time was over costs half a point; being put off costs nothing', async () => {
  const box = await aReturnBox()
  const later = {
    kind: 'refused',
    stage: 'rcpt',
    code: 450,
    status: '4.2.0',
    answer: '450 4.2.0 Later',
  } as const
  await box.bounces.recordRefusal(box.reference, later)
  expect(await box.rows('select points from bounces')).toEqual([])
  await box.bounces.recordRefusal(box.reference, later, true)
  expect(await box.rows('select class, points::text from bounces')).toEqual([
    { class: 'transient', points: '0.5' },
  ])
  expect(await box.suppressions()).toEqual([])
})

test('BNC-2 greylisting is nobody’s fault: no score and no notice, also where it lasts to the end', async () => {
  const box = await aReturnBox()
  await box.rows(`insert into editors (email, role) values ('chef@rivage.example', 'editor')`)
  const answer = '451 4.7.1 Greylisting in action, please come back later'
  const later = { kind: 'refused', stage: 'rcpt', code: 451, status: '4.7.1', answer } as const
  await box.bounces.recordRefusal(box.reference, later)
  await box.bounces.recordRefusal(box.reference, later, true)
  expect(await box.rows('select class from bounces')).toEqual([])
  expect(await box.rows(`select kind from outbox where kind = 'desk-notice'`)).toEqual([])
})

test('the desk is told once a day that complaints reach the limit, and not below it', async () => {
  const box = await aReturnBox(1_200)
  await box.rows(`insert into editors (email, role) values ('chef@rivage.example', 'editor')`)
  await box.rows(`update deliveries set state = 'accepted', accepted_at = now()`)
  const { reference } = box
  const complain = (n: number) =>
    box.bounces.receive({
      kind: 'complaint',
      reference: { ...reference, subscriberId: reference.subscriberId + n },
      proof: 'Feedback-Type: abuse',
    })
  const notices = () =>
    box.rows<{ payload: unknown }>(`select payload from outbox where kind = 'desk-notice'`)
  await complain(0)
  expect(await notices()).toEqual([])
  await complain(1)
  await complain(2)
  expect(await notices()).toMatchObject([
    { payload: { notice: 'complaints_high', values: { percent: 0.17 } } },
  ])
})
