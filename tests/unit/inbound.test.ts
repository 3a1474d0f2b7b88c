import { expect, test } from 'vitest'
import { sealReference } from '../../src/domain/delivery/mail-reference.ts'
import { readInbound } from '../../src/mail/inbound/inbound.ts'
import { aMail, keyring } from '../support/mail.ts'
import { aComplaint, aDeliveryReport } from '../support/reports.ts'

const reference = { kind: 'digest', digestId: 42, subscriberId: 7 } as const
const sealed = sealReference(keyring, 'bounce', reference)
const verp = `b+${sealed}@bounces.news.example.org`
const read = (raw: Buffer, to = verp, from = '') => readInbound(raw, { from, to }, keyring)

test('a delivery report to our return path is a bounce, in any case', async () => {
  expect(await read(aDeliveryReport(), verp.toUpperCase())).toEqual({
    kind: 'bounce',
    reference,
    reports: [
      {
        addresses: ['reader@reader.example'],
        isAlone: true,
        diagnosis: { stage: 'report', code: 550, status: '5.1.1', text: '550 5.1.1 <[address]>: unknown' },
      },
    ],
  })
})

test('without a return path of its own, ENVID and then our Message-ID tell the mail', async () => {
  const to = 'lettres@news.example.org'
  expect(await read(aDeliveryReport({ envelopeId: sealed }), to)).toMatchObject({ kind: 'bounce', reference })
  const messageId = sealReference(keyring, 'message-id', reference)
  const returned = `Subject: x\nMessage-ID:\n <${messageId}@news.example.org>\n`
  expect(await read(aDeliveryReport({ returned }), to)).toMatchObject({ kind: 'bounce', reference })
})

test('ENV-1 what comes back to our return path, or to the address for leaving, is known again in any case', async () => {
  const mail = aMail()
  for (const each of [reference, { kind: 'outbox', outboxId: 9 }] as const) {
    const path = mail.returnPath(each)
    expect(path).toMatch(/^[a-z2-7+.]{1,64}@bounces\.news\.example\.org$/)
    for (const to of [path, path.toUpperCase()])
      expect(await read(aDeliveryReport(), to)).toMatchObject({ kind: 'bounce', reference: each })
    const [, leave = ''] = /^mailto:(.*)\?/.exec(mail.unsubscribeMailto(each) ?? '') ?? []
    expect(await read(Buffer.from('Subject: unsubscribe\r\n\r\n'), leave, 'r@reader.example')).toEqual({
      kind: 'unsubscribe',
      reference: each,
    })
  }
})

test('BNC-4 a forged report changes nothing', async () => {
  const forged = verp.replace(/.@/, (end) => (end === 'a@' ? 'b@' : 'a@'))
  expect(await read(aDeliveryReport(), forged)).toEqual({ kind: 'ignored', why: 'unsealed' })
  const messageId = sealReference(keyring, 'bounce', reference)
  const returned = `Message-ID: <${messageId}@news.example.org>\n`
  expect(await read(aDeliveryReport({ returned }), 'a@b.example')).toEqual({
    kind: 'ignored',
    why: 'unsealed',
  })
})

test('BNC-5 an out-of-office answer and a human reply are not bounces', async () => {
  const away = Buffer.from(
    'From: r@reader.example\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\n550 5.1.1 gone',
  )
  expect(await read(away)).toEqual({ kind: 'ignored', why: 'not_a_report' })
  const reply = Buffer.from('From: r@reader.example\r\nSubject: Re: news\r\n\r\nThank you')
  expect(await read(reply, verp, 'r@reader.example')).toEqual({ kind: 'ignored', why: 'not_a_report' })
})

test('BNC-6 a complaint with a redacted recipient is known by the seals in the returned mail', async () => {
  for (const returned of [
    `Return-Path: <${verp}>\nSubject: x`,
    `Message-ID: <${sealReference(keyring, 'message-id', reference)}@news.example.org>`,
    `MESSAGE-ID:\n <${sealReference(keyring, 'message-id', reference)}@news.example.org>`,
    `List-Unsubscribe: <https://x.example>, <mailto:u+${sealReference(keyring, 'unsubscribe', reference)}@b.example>`,
  ]) {
    const mail = await read(aComplaint(returned), 'fbl@news.example.org', 'feedback@provider.example')
    expect(mail, returned).toMatchObject({ kind: 'complaint', reference })
    expect(mail).not.toHaveProperty('proof', expect.stringContaining('@'))
  }
  const unbracketed = `Message-ID: ${sealReference(keyring, 'message-id', reference)}@news.example.org`
  for (const mail of [
    aComplaint(unbracketed),
    aComplaint(`Return-Path: <${verp}>`, 'Abuse (user pressed it)'),
  ])
    expect(await read(mail, 'fbl@news.example.org')).toMatchObject({ kind: 'complaint', reference })
  for (const field of [`Original-Mail-From: <${verp}>`, `Original-Envelope-Id: ${sealed}`]) {
    const mail = aComplaint('Subject: x', 'abuse', field)
    expect(await read(mail, 'fbl@news.example.org'), field).toMatchObject({ kind: 'complaint', reference })
  }
  expect(await read(aComplaint('Subject: x', 'not-spam'))).toEqual({ kind: 'ignored', why: 'not_a_failure' })
  expect(await read(aComplaint('Subject: x'), 'fbl@news.example.org')).toEqual({
    kind: 'ignored',
    why: 'unsealed',
  })
})

test('BNC-9 a report of several recipients names each', async () => {
  const recipients = [
    { final: 'one@list.example', status: '5.2.2', diagnostic: '552 5.2.2 full' },
    { final: 'two@list.example', original: 'Reader@Reader.example' },
    { final: 'three@list.example', action: 'delivered', status: '2.0.0' },
  ]
  expect(await read(aDeliveryReport({ recipients }))).toMatchObject({
    reports: [
      { addresses: ['one@list.example'], diagnosis: { status: '5.2.2' } },
      { addresses: ['reader@reader.example', 'two@list.example'] },
    ],
  })
})

test('BNC-10 a delayed mail is not a bounce', async () => {
  const recipients = [{ action: 'delayed', status: '4.4.1' }]
  expect(await read(aDeliveryReport({ recipients }))).toEqual({ kind: 'ignored', why: 'not_a_failure' })
})

test('BNC-11 an internationalised report is read too', async () => {
  const recipients = [{ final: 'salé@reader.example' }]
  const report = { isGlobal: true, recipients }
  expect(await read(aDeliveryReport(report))).toMatchObject({
    kind: 'bounce',
    reference,
    reports: [{ addresses: ['salé@reader.example'], diagnosis: { status: '5.1.1' } }],
  })
  const messageId = sealReference(keyring, 'message-id', reference)
  const returned = `Message-ID: <${messageId}@news.example.org>\n`
  expect(await read(aDeliveryReport({ ...report, returned }), 'lettres@news.example.org')).toMatchObject({
    kind: 'bounce',
    reference,
  })
})

test.each([
  ['host mx.example said: 550 No\n    (in reply to MAIL FROM command)', 'mail'],
  ['host mx.example said: 550 No (in reply to\n    RCPT TO command)', 'rcpt'],
  ['host mx.example said: 550 No (in reply to end of\n    DATA command)', 'data'],
  ['SMTP error from remote mail server after pipelined MAIL FROM:<x>: 550 No', 'mail'],
  ['SMTP error from remote mail server after initial connection: 550 No', 'connect'],
  ['host mx.example[192.0.2.7] refused to talk to me: 550 No', 'connect'],
  ['Refused after data analysis, in reply to data requests', 'report'],
  ['said: 550 No (in reply to MAIL FROM command) and 550 No (in reply to RCPT TO command)', 'report'],
  ['I am sorry.', 'report'],
])('BNC-3 a report says in words at which command the server refused: %j', async (text, stage) => {
  expect(await read(aDeliveryReport({ text }))).toMatchObject({ reports: [{ diagnosis: { stage } }] })
})

test('a relay that knows only 5.0.0 is not believed over the server it quotes', async () => {
  const recipients = [{ status: '5.0.0', diagnostic: '552 5.2.2 mailbox full' }]
  expect(await read(aDeliveryReport({ recipients }))).toMatchObject({
    reports: [{ diagnosis: { status: '5.2.2' } }],
  })
})

test('UNS-4 a mail to the unsubscribe address unsubscribes, unless a machine sent it', async () => {
  const to = `u+${sealReference(keyring, 'unsubscribe', reference)}@bounces.news.example.org`
  const mail = Buffer.from('From: r@reader.example\r\nSubject: unsubscribe\r\n\r\n')
  expect(await read(mail, to, 'r@reader.example')).toEqual({ kind: 'unsubscribe', reference })
  expect(await read(mail, to, '')).toEqual({ kind: 'ignored', why: 'automatic' })
  const automatic = Buffer.from('Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\n')
  expect(await read(automatic, to, 'r@reader.example')).toEqual({ kind: 'ignored', why: 'automatic' })
  for (const away of [
    'Precedence: auto_reply',
    'X-Autoreply: yes',
    'Subject: Réponse automatique : Nouvelles',
  ])
    expect(await read(Buffer.from(`${away}\r\n\r\n`), to, 'r@reader.example'), away).toEqual({
      kind: 'ignored',
      why: 'automatic',
    })
  expect(await read(mail, `u+${sealed}@b.example`, 'r@reader.example')).toEqual({
    kind: 'ignored',
    why: 'unsealed',
  })
})

test('UNS-4 Apple Mail calls itself automatic, and a person asked it to unsubscribe', async () => {
  const to = `u+${sealReference(keyring, 'unsubscribe', reference)}@bounces.news.example.org`
  const mail = (headers: string, body = 'Apple Mail sent this email to unsubscribe from the message.') =>
    Buffer.from(`Auto-Submitted: auto-replied\r\n${headers}\r\n\r\n${body}\r\n`)
  const left = { kind: 'unsubscribe', reference }
  const unread = { kind: 'ignored', why: 'automatic' }
  const apple = mail('Subject: x\r\nX-Apple-Unsubscribe: true')
  expect(await read(apple, to, 'r@reader.example')).toEqual(left)
  expect(await read(mail('Subject: Unsubscribe'), to, 'r@reader.example')).toEqual(left)
  expect(await read(mail('Subject: x', 'unsubscribe'), to, 'r@reader.example')).toEqual(left)
  expect(await read(mail('Subject: Automatic reply: unsubscribe'), to, 'r@reader.example')).toEqual(unread)
  expect(await read(apple, to, '')).toEqual(unread)
  expect(await read(apple, to.replace('u+', 'u+a'), 'r@reader.example')).toEqual({
    kind: 'ignored',
    why: 'unsealed',
  })
})

test('BNC-6 a feedback report of a person who opts out is no complaint', async () => {
  const from = 'feedback@provider.example'
  const returned = `Return-Path: <${verp}>`
  const to = 'fbl@news.example.org'
  expect(await read(aComplaint(returned, 'opt-out'), to, from)).toEqual({ kind: 'unsubscribe', reference })
  for (const type of ['auth-failure', 'not-spam'])
    expect(await read(aComplaint(returned, type), to, from)).toEqual({
      kind: 'ignored',
      why: 'not_a_failure',
    })
})

test('BNC-6 a complaint of Microsoft’s older form returns our mail and nothing else', async () => {
  const messageId = sealReference(keyring, 'message-id', reference)
  const complaint = (from: string, field = '', id = messageId) =>
    Buffer.from(
      [
        `From: ${from}`,
        'Subject: complaint about message from 192.0.2.9',
        'Content-Type: multipart/mixed; boundary="B"',
        '',
        '--B',
        'Content-Type: message/rfc822',
        '',
        `${field}From: news@news.example.org`,
        `Message-ID: <${id}@news.example.org>`,
        '',
        'body',
        '--B--',
      ].join('\r\n'),
    )
  const to = 'fbl@news.example.org'
  const readFrom = (mail: Buffer) => read(mail, to, 'staff@hotmail.com')
  const field = 'X-HmXmrOriginalRecipient: reader@reader.example\r\n'
  expect(await readFrom(complaint('staff@hotmail.com'))).toMatchObject({ kind: 'complaint', reference })
  const mail = await readFrom(complaint('Feedback <loop@provider.example>', field))
  expect(mail).toMatchObject({ kind: 'complaint', reference })
  expect(mail).not.toHaveProperty('proof', expect.stringContaining('@'))
  expect(await readFrom(complaint('r@reader.example'))).toEqual({ kind: 'ignored', why: 'not_a_report' })
  expect(await readFrom(complaint('staff@hotmail.com', field, 'aaaa.bbbbbbbbbbbbb'))).toEqual({
    kind: 'ignored',
    why: 'unsealed',
  })
})

test('BNC-7 what is kept of a report is short, and no control character is in it', async () => {
  const long = 'a'.repeat(20_000)
  const recipients = [
    { diagnostic: `550 5.1.1 unknown\0user ${long}`, original: `r\0${long}@reader.example` },
  ]
  const bounce = await read(aDeliveryReport({ recipients }))
  expect(bounce).toMatchObject({ reports: [{ diagnosis: { code: 550, status: '5.1.1' } }] })
  const complaint = await read(aComplaint(`Return-Path: <${verp}>`, 'abuse', `X-Field: a\0b${long}`))
  expect(complaint).toMatchObject({ kind: 'complaint', reference })
  for (const mail of [bounce, complaint]) {
    expect(JSON.stringify(mail)).not.toContain('\\u0000')
    expect(JSON.stringify(mail).length).toBeLessThan(6_000)
  }
})

test('BNC-7 malformed, nested and hostile mail is ignored, not thrown at us', async () => {
  const report = aDeliveryReport().toString('latin1')
  let nested = report
  for (let depth = 0; depth < 60; depth++) {
    nested = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="n${depth}"\r\n\r\n--n${depth}\r\nContent-Type: message/rfc822\r\n\r\n${nested}\r\n--n${depth}--\r\n`
  }
  for (const text of [
    '',
    '\0\0\0',
    report.slice(0, 400),
    report.replace('boundary="B"', 'boundary='),
    report.replace('text/plain', 'text/plain; charset=klingon'),
    report.replaceAll('\r\n', '\r'),
    'Content-Type: multipart/report; boundary="x"\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n__proto__: a\r\n\r\nAction: failed\r\n--x--',
    nested,
  ]) {
    await expect(read(Buffer.from(text, 'latin1'))).resolves.toHaveProperty('kind')
  }
})
