import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sealReference } from '../../src/domain/delivery/mail-reference.ts'
import type { InboundMail } from '../../src/mail/inbound/inbound.ts'
import { startInboundServer } from '../../src/mail/inbound/inbound-server.ts'
import { createSigner } from '../../src/mail/message/sign.ts'
import { createTransport } from '../../src/mail/smtp/transport.ts'
import { classifyBounce } from '../../src/domain/deliverability/bounce.ts'
import { awkwardBodies, verifyWithPython } from '../support/dkim.ts'
import { dkimKeys, keyring } from '../support/mail.ts'
import { aPostfix } from '../support/postfix.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

const reference = { kind: 'digest', digestId: 42, subscriberId: 7 } as const
const verp = `b+${sealReference(keyring, 'bounce', reference)}@bounces.example.org`
const envelopeId = sealReference(keyring, 'bounce', reference)
const header = Buffer.from(
  'From: a@news.example.org\r\nTo: b@reader.example\r\nDate: Mon, 23 Nov 2026 06:00:00 +0000\r\nMessage-ID: <1@news.example.org>\r\nSubject: hello\r\n\r\n',
)

async function anInboundBox() {
  const received: InboundMail[] = []
  const server = await startInboundServer({
    host: '127.0.0.1',
    port: 0,
    keyring,
    log: pino({ level: 'silent' }),
    receive: (mail) => {
      received.push(mail)
      return Promise.resolve()
    },
  })
  onTestFinished(() => server.close())
  return { received, port: server.port }
}

function aTransport(smtpUrl: string) {
  const transport = createTransport({ smtpUrl, connections: 1 })
  onTestFinished(() => transport.close())
  return transport
}

const send = (transport: ReturnType<typeof aTransport>, to: string, message: readonly Buffer[]) =>
  transport.send({ from: verp, to, message, envelopeId, beforeFinalDot: () => Promise.resolve(true) })

test('DKIM-4 awkward bodies verify after a trip through a real Postfix', async () => {
  const sink = await aSmtpSink()
  const postfix = await aPostfix({ transports: { 'reader.example': `smtp:[127.0.0.1]:${sink.port}` } })
  const transport = aTransport(postfix.url)
  const keys = dkimKeys()
  const signer = createSigner(keys)
  for (const [name, body] of awkwardBodies) {
    const message = await signer.sign([header, ...body.map((text) => Buffer.from(text))])
    expect(await send(transport, 'b@reader.example', message), name).toMatchObject({ kind: 'accepted' })
  }
  await vi.waitFor(() => {
    expect(sink.received).toHaveLength(awkwardBodies.length)
  }, 30_000)
  for (const { raw } of sink.received) expect(verifyWithPython(raw, keys)).toEqual([true, true])
})

test('BNC-1 real delivery reports and inline answers give the same class', async () => {
  const box = await anInboundBox()
  // One command at a time: a refused MAIL is followed by nothing.
  const rejecting = await aSmtpSink({ extensions: ['8BITMIME', 'DSN'] })
  const replies: [at: 'mail' | 'rcpt' | 'dot', reply: string, expected: string][] = [
    ['rcpt', '550 5.1.1 User unknown', 'dead'],
    ['rcpt', '550 User unknown', 'dead'],
    ['rcpt', '550 5.2.1 Mailbox disabled', 'doubtful'],
    ['rcpt', '550 No', 'doubtful'],
    ['rcpt', '552 5.2.2 Mailbox full', 'full'],
    ['rcpt', '452 4.2.2 Mailbox full', 'full'],
    ['rcpt', '450 4.2.0 Greylisted', 'transient'],
    ['rcpt', '550 5.7.1 Blocked for spam', 'policy'],
    ['dot', '550 Rejected', 'policy'],
    ['dot', '554 User unknown to our filter', 'policy'],
    ['rcpt', '552 5.3.4 Message too big', 'content'],
    ['dot', '554 5.6.0 Bad content', 'content'],
    ['rcpt', '550 5.1.8 Bad sender', 'sender'],
    ['mail', '550 No', 'sender'],
    ['mail', '550 5.1.1 User unknown', 'sender'],
  ]
  const hop = `smtp:[127.0.0.1]:${rejecting.port}`
  const postfix = await aPostfix({
    transports: {
      'bounces.example.org': `lmtp:inet:127.0.0.1:${box.port}`,
      'reader.example': hop,
    },
    lifetime: '0',
  })
  const relayed = aTransport(postfix.url)
  const direct = aTransport(rejecting.url)
  for (const [at, reply, expected] of replies) {
    rejecting.faults.splice(0, 1, { at, do: 'reply', reply })
    const inline = await send(direct, 'reader@reader.example', [header])
    if (inline.kind !== 'refused') throw new Error('not refused')
    expect(classifyBounce({ ...inline, text: inline.answer }), `inline ${reply} at ${at}`).toBe(expected)

    box.received.length = 0
    expect(await send(relayed, 'reader@reader.example', [header])).toMatchObject({ kind: 'accepted' })
    await vi.waitFor(() => {
      expect(box.received, `${reply} at ${at}`).toHaveLength(1)
    }, 30_000)
    const [report] = box.received
    if (report?.kind !== 'bounce') throw new Error('no bounce')
    expect(report.reference).toEqual(reference)
    expect(report.reports).toHaveLength(1)
    expect(report.reports[0]?.addresses).toContain('reader@reader.example')
    expect(report.reports[0] && classifyBounce(report.reports[0].diagnosis), `report ${reply} at ${at}`).toBe(
      expected,
    )
  }
})

test('a report without our return path is known by the ENVID that Postfix gives back', async () => {
  const box = await anInboundBox()
  const rejecting = await aSmtpSink()
  rejecting.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 User unknown' })
  const postfix = await aPostfix({
    transports: {
      'news.example.org': `lmtp:inet:127.0.0.1:${box.port}`,
      'dead.example': `smtp:[127.0.0.1]:${rejecting.port}`,
    },
  })
  const outcome = await aTransport(postfix.url).send({
    from: 'lettres@news.example.org',
    to: 'nobody@dead.example',
    message: [header],
    envelopeId,
    beforeFinalDot: () => Promise.resolve(true),
  })
  expect(outcome.kind).toBe('accepted')
  await vi.waitFor(() => {
    expect(box.received).toMatchObject([{ kind: 'bounce', reference }])
  }, 30_000)
})
