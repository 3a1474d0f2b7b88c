import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { SMTPServer } from 'smtp-server'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { SendOutcome } from '../../src/domain/delivery/delivery.ts'
import { createTransport, type OutgoingMail, type TransportOptions } from '../../src/mail/smtp/transport.ts'
import { aSmtpSink, spawnSmtpSink, type SinkFault } from '../support/smtp-sink.ts'

const message = (body = 'Bonjour\r\n') =>
  Buffer.from(
    `From: a@news.example\r\nTo: reader@reader.example\r\nMessage-ID: <1@news.example>\r\n\r\n${body}`,
  )

const aMail = (overrides: Partial<OutgoingMail> = {}): OutgoingMail => ({
  from: 'bounces@news.example',
  to: 'reader@reader.example',
  message: [message()],
  beforeFinalDot: () => Promise.resolve(true),
  ...overrides,
})

function aTransport(smtpUrl: string, options: Partial<TransportOptions> = {}) {
  const limits = {
    openMs: 300,
    commandMs: 300,
    bodyMs: 300,
    finalDotMs: 300,
    idleMs: 5_000,
    ...options.limits,
  }
  const transport = createTransport({ connections: 2, ...options, smtpUrl, limits })
  onTestFinished(() => transport.close())
  return transport
}

/** For conversations that are not about time. */
const slow = { openMs: 30_000, commandMs: 30_000, bodyMs: 30_000, finalDotMs: 30_000 }

async function aSigningInServer() {
  const received: { to: string | undefined; user: string; isEncrypted: boolean; raw: string }[] = []
  const server = new SMTPServer({
    onAuth: ({ username, password }, _session, done) => {
      done(password === 'pass word' ? null : new Error('no'), { user: username })
    },
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
        const [to] = session.envelope.rcptTo
        received.push({ to: to?.address, user: String(session.user), isEncrypted: session.secure, raw })
        done()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  onTestFinished(async () => {
    await promisify(server.close.bind(server))()
  })
  const { port } = server.server.address() as AddressInfo
  return { url: `smtp://desk:pass%20word@127.0.0.1:${port}`, received }
}

async function sendThrough(
  fault: SinkFault,
  mail = aMail(),
): Promise<{ outcome: SendOutcome; copies: number }> {
  const sink = await aSmtpSink()
  sink.faults.push(fault)
  const outcome = await aTransport(sink.url).send(mail)
  return { outcome, copies: sink.received.length }
}

test('a message arrives byte for byte, with dots stuffed, and the answer is kept', async () => {
  const sink = await aSmtpSink()
  const body = '.\r\n..two dots\r\n.leading\r\n\r\nlast'
  const outcome = await aTransport(sink.url).send(aMail({ message: [message(), Buffer.from(body)] }))
  expect(outcome).toEqual({ kind: 'accepted', answer: '250 2.0.0 Ok: queued as SINK' })
  expect(sink.received).toHaveLength(1)
  expect(sink.received[0]).toMatchObject({ from: 'bounces@news.example', to: ['reader@reader.example'] })
  expect(sink.received[0]?.raw.toString()).toBe(`${message().toString()}${body}\r\n`)
})

test('`beforeFinalDot` is asked once, after the last body byte and before anybody has a copy', async () => {
  const sink = await aSmtpSink()
  const copiesWhenAsked: number[] = []
  const beforeFinalDot = vi.fn(() => {
    copiesWhenAsked.push(sink.received.length)
    return Promise.resolve(true)
  })
  const outcome = await aTransport(sink.url).send(
    aMail({ message: [message('x'.repeat(200_000))], beforeFinalDot }),
  )
  expect(outcome.kind).toBe('accepted')
  expect(beforeFinalDot).toHaveBeenCalledTimes(1)
  expect(copiesWhenAsked).toEqual([0])
})

test('a refused permission cuts the message off: nobody is mailed, and the next message goes out', async () => {
  const sink = await aSmtpSink()
  const transport = aTransport(sink.url, { connections: 1 })
  const stopped = await transport.send(aMail({ beforeFinalDot: () => Promise.resolve(false) }))
  expect(stopped).toEqual({ kind: 'stopped' })
  expect((await transport.send(aMail())).kind).toBe('accepted')
  expect(sink.received).toHaveLength(1)
})

test('a permission that fails cuts the message off and the failure reaches the caller', async () => {
  const sink = await aSmtpSink()
  const transport = aTransport(sink.url)
  const beforeFinalDot = () => Promise.reject(new Error('database gone'))
  await expect(transport.send(aMail({ beforeFinalDot }))).rejects.toThrow('database gone')
  expect(sink.received).toHaveLength(0)
})

test('a connection lost while the database answers is refused, and the answer is awaited', async () => {
  const sink = await aSmtpSink()
  let isAnswered = false
  const beforeFinalDot = async () => {
    sink.dropConnections()
    await new Promise((resolve) => setTimeout(resolve, 50))
    isAnswered = true
    return true
  }
  const outcome = await aTransport(sink.url).send(aMail({ beforeFinalDot }))
  expect(outcome).toMatchObject({ kind: 'refused', stage: 'data' })
  expect(isAnswered).toBe(true)
  expect(sink.received).toHaveLength(0)
})

test.each(['close', 'reset', 'hang'] as const)(
  '%s before the message is whole is a refusal without a code',
  async (how) => {
    for (const at of ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'body'] as const) {
      const long = aMail({ message: [message('x'.repeat(8_000_000))] })
      const { outcome, copies } = await sendThrough({ at, do: how }, at === 'body' ? long : aMail())
      expect(outcome, `${how} at ${at}`).toMatchObject({ kind: 'refused', code: undefined })
      expect(copies).toBe(0)
    }
  },
)

test.each(['close', 'reset', 'hang', 'partial', 'partial-close'] as const)(
  '%s after the final dot is ambiguous',
  async (how) => {
    const { outcome, copies } = await sendThrough({ at: 'dot', do: how })
    expect(outcome.kind).toBe('ambiguous')
    expect(copies).toBe(1)
  },
)

test.each([
  ['greeting', '554 5.7.1 blocked', 'connect', 554, '5.7.1'],
  ['greeting', '421 4.7.0 busy', 'connect', 421, '4.7.0'],
  ['mail', '550 5.7.1 sender refused', 'mail', 550, '5.7.1'],
  ['mail', '421 4.3.2 closing', 'mail', 421, '4.3.2'],
  ['rcpt', '550 5.1.1 no such user', 'rcpt', 550, '5.1.1'],
  ['rcpt', '451 4.7.1 greylisted', 'rcpt', 451, '4.7.1'],
  ['data', '451 4.3.0 later', 'data', 451, '4.3.0'],
  ['dot', '554 5.7.1 spam', 'data', 554, '5.7.1'],
  ['dot', '451 4.3.0 later', 'data', 451, '4.3.0'],
  ['dot', '421 4.3.2 closing', 'data', 421, '4.3.2'],
  ['rcpt', '550 unknown', 'rcpt', 550, undefined],
] as const)('a reply at %s: %s', async (at, reply, ...[stage, code, status]) => {
  const { outcome, copies } = await sendThrough({ at, do: 'reply', reply })
  expect(outcome).toMatchObject({ kind: 'refused', stage, code, status })
  expect(copies).toBe(0)
})

test('a refused recipient leaves the connection ready for the next one', async () => {
  const sink = await aSmtpSink()
  sink.faults.push({
    at: 'rcpt',
    do: 'reply',
    reply: '550 5.1.1 <gone@reader.example> unknown',
    recipients: '^gone@',
  })
  const transport = aTransport(sink.url, { connections: 1 })
  for (const to of ['gone@reader.example', 'one@reader.example', 'gone@reader.example', 'two@reader.example'])
    await transport.send(aMail({ to }))
  expect(sink.received.map((mail) => mail.to)).toEqual([['one@reader.example'], ['two@reader.example']])
  expect(sink.connections()).toBe(1)
})

test('a refused recipient leaves it ready without pipelining too', async () => {
  const sink = await aSmtpSink({ extensions: ['8BITMIME'] })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '451 4.7.1 greylisted', times: 1 })
  const transport = aTransport(sink.url, { connections: 1 })
  expect(await transport.send(aMail())).toMatchObject({ kind: 'refused', stage: 'rcpt', code: 451 })
  expect((await transport.send(aMail())).kind).toBe('accepted')
  expect(sink.connections()).toBe(1)
})

test('a server that waits for a message to nobody is given none', async () => {
  const sink = await aSmtpSink({ takesMailToNobody: true })
  sink.faults.push({ at: 'rcpt', do: 'reply', reply: '550 5.1.1 unknown', times: 1 })
  const transport = aTransport(sink.url, { connections: 1 })
  expect(await transport.send(aMail())).toMatchObject({ kind: 'refused', stage: 'rcpt', code: 550 })
  expect((await transport.send(aMail())).kind).toBe('accepted')
  expect(sink.received).toHaveLength(1)
})

test.each([
  ['552 5.3.4 too large', 552],
  ['421 4.3.2 closing', 421],
  ['250 2.0.0 Ok', undefined],
])('an answer in the middle of the message is no promise for it: %s', async (reply, code) => {
  const long = aMail({ message: [message('x'.repeat(8_000_000))] })
  const { outcome, copies } = await sendThrough({ at: 'body', do: 'reply', reply }, long)
  expect(outcome).toMatchObject({ kind: 'refused', stage: 'data', code })
  expect(copies).toBe(0)
})

test('an answer may have several lines and letters of its own, and is kept as a database can hold it', async () => {
  const reply = '250-2.0.0 Reçu\r\n250 file \0 d’attente'
  const { outcome } = await sendThrough({ at: 'dot', do: 'reply', reply })
  expect(outcome).toEqual({ kind: 'accepted', answer: '250-2.0.0 Reçu 250 file d’attente' })
})

test('an answer in an older charset keeps its letters', async () => {
  const reply = '552 Boîte pleine'
  const { outcome } = await sendThrough({ at: 'rcpt', do: 'reply', reply, encoding: 'latin1' })
  expect(outcome).toMatchObject({ answer: '552 Boîte pleine' })
})

test('an answer is kept without the address it repeats', async () => {
  const { outcome } = await sendThrough({
    at: 'rcpt',
    do: 'reply',
    reply: '550 5.1.1 <Reader@Reader.example>: unknown',
  })
  expect(outcome).toMatchObject({ answer: '550 5.1.1 <[address]>: unknown' })
})

test('an idle connection that the server dropped costs no attempt', async () => {
  const sink = await aSmtpSink()
  const transport = aTransport(sink.url, { connections: 1 })
  await transport.send(aMail())
  sink.dropConnections()
  expect((await transport.send(aMail())).kind).toBe('accepted')
  expect(sink.received).toHaveLength(2)
})

test('ENV-2 whatever is not exactly one plain address is never offered to the server', async () => {
  const sink = await aSmtpSink()
  const transport = aTransport(sink.url)
  for (const to of [
    'a@x.example, b@y.example',
    'a@x.example\r\nRCPT TO:<b@y.example>',
    '<a@x.example>',
    'A <a@x.example>',
    'a@x.example b@y.example',
    '"a b"@x.example',
    'a@[127.0.0.1]',
    'a\u200b@x.example',
    'a..b@x.example',
    '',
  ]) {
    await expect(transport.send(aMail({ to })), JSON.stringify(to)).rejects.toThrow('one plain address')
  }
  expect(sink.connections()).toBe(0)
})

test('ENV-3 DSN parameters are there when the server offers DSN, and absent when it does not', async () => {
  const withDsn = await aSmtpSink()
  await aTransport(withDsn.url).send(aMail({ envelopeId: 'd7-s9' }))
  expect(withDsn.received[0]?.mailArgs).toContain('RET=HDRS ENVID=d7-s9')
  expect(withDsn.received[0]?.rcptArgs).toEqual(['NOTIFY=FAILURE,DELAY ORCPT=rfc822;reader@reader.example'])
  // What the parameter's own syntax uses is written in hexadecimal.
  await aTransport(withDsn.url).send(aMail({ to: 'reader+a=b@reader.example', envelopeId: 'd7-s9' }))
  expect(withDsn.received[1]?.rcptArgs[0]).toContain('ORCPT=rfc822;reader+2Ba+3Db@reader.example')
  const without = await aSmtpSink({ extensions: ['PIPELINING'] })
  await aTransport(without.url).send(aMail({ envelopeId: 'd7-s9' }))
  expect(without.received[0]?.mailArgs).toBe('')
  expect(without.received[0]?.rcptArgs).toEqual([''])
})

test('ENV-3 a server’s name offers nothing, whatever is in it', async () => {
  const sink = await aSmtpSink()
  sink.faults.push({ at: 'ehlo', do: 'reply', reply: '250-dsn.smtputf8.example greets SIZE\r\n250 HELP' })
  await aTransport(sink.url).send(aMail({ envelopeId: 'd7-s9' }))
  expect(sink.received).toMatchObject([{ mailArgs: '', rcptArgs: [''] }])
})

test('ENV-4 an address that needs SMTPUTF8 goes only to a server that offers it', async () => {
  const to = 'salé@reader.example'
  const modern = await aSmtpSink()
  expect((await aTransport(modern.url).send(aMail({ to }))).kind).toBe('accepted')
  expect(modern.received[0]).toMatchObject({ to: [to] })
  expect(modern.received[0]?.mailArgs).toContain('SMTPUTF8')
  const old = await aSmtpSink({ extensions: ['PIPELINING'] })
  const transport = aTransport(old.url)
  expect(await transport.hasSmtpUtf8()).toBe(false)
  expect(await transport.send(aMail({ to }))).toMatchObject({
    kind: 'refused',
    stage: 'rcpt',
    status: '5.6.7',
  })
  expect(old.received).toHaveLength(0)
})

test('never more conversations than asked for, and every message arrives once', async () => {
  const sink = await aSmtpSink()
  const transport = aTransport(sink.url, { connections: 3, limits: { messagesPerConnection: 7 } })
  const readers = Array.from({ length: 60 }, (_, i) => `reader${i}@reader.example`)
  let most = 0
  const beforeFinalDot = () => {
    most = Math.max(most, sink.connections())
    return Promise.resolve(true)
  }
  await Promise.all(readers.map((to) => transport.send(aMail({ to, beforeFinalDot }))))
  expect(sink.received.map((mail) => mail.to[0]).sort()).toEqual(readers.sort())
  // A connection that says goodbye may overlap with its successor.
  expect(most).toBeLessThanOrEqual(6)
})

test('a remote server must offer STARTTLS unless the URL says otherwise', async () => {
  const sink = await aSmtpSink()
  const outcome = await aTransport(`${sink.url}?tls=required`).send(aMail())
  expect(outcome).toMatchObject({ kind: 'refused', stage: 'connect' })
  expect(sink.received).toHaveLength(0)
  expect((await aTransport(`${sink.url}?tls=opportunistic`).send(aMail())).kind).toBe('accepted')
})

test('many messages go over one connection that was encrypted by STARTTLS and signed in to', async () => {
  const { url, received } = await aSigningInServer()
  const transport = aTransport(`${url}?tls=opportunistic`, { connections: 1, limits: slow })
  const body = `${'x'.repeat(70)}\r\n.y\r\n`.repeat(2_000)
  for (const to of ['one@reader.example', 'two@reader.example']) {
    expect((await transport.send(aMail({ to, message: [message(), Buffer.from(body)] }))).kind).toBe(
      'accepted',
    )
  }
  const raw = `${message().toString()}${body}`
  expect(received).toEqual([
    { to: 'one@reader.example', user: 'desk', isEncrypted: true, raw },
    { to: 'two@reader.example', user: 'desk', isEncrypted: true, raw },
  ])
})

test('a closed transport finishes what is in flight and takes nothing more', async () => {
  const sink = await aSmtpSink()
  const transport = aTransport(sink.url)
  const inFlight = transport.send(aMail())
  await transport.close()
  expect((await inFlight).kind).toBe('accepted')
  await expect(transport.send(aMail())).rejects.toThrow('closed')
})

test('the sink process writes a copy down before it answers', async () => {
  const directory = mkdtempSync('/tmp/depeche-sink-')
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  const sink = await spawnSmtpSink(`${directory}/record`)
  onTestFinished(() => sink.stop())
  sink.setFaults([{ at: 'dot', do: 'hang' }])
  const transport = aTransport(sink.url)
  await vi.waitFor(async () => {
    expect((await transport.send(aMail())).kind).toBe('ambiguous')
  })
  expect(readFileSync(`${directory}/record`, 'utf8')).toContain('<1@news.example>\treader@reader.example\n')
})
