import { expect, test } from 'vitest'
import {
  aCertificate,
  aSendgridKey,
  fromMailgun,
  fromSendgrid,
  fromSns,
  mailgunKey,
  snsTopic,
} from '../support/provider-postings.ts'
import { anAmazon, aProviderRoom, untouched, type Reader } from '../support/provider-room.ts'

const hourMs = 3600 * 1000
const ago = (ms: number) => new Date(Date.now() - ms)

const failed = (reader: Reader, more: object = {}) => ({
  event: 'failed',
  id: 'G9Bn5sl1TC6nu79C8C0bwg',
  severity: 'permanent',
  reason: 'bounce',
  timestamp: 1_521_233_195.375,
  recipient: reader.address,
  message: { headers: { 'message-id': reader.messageId.slice(1, -1) } },
  'user-variables': { depeche: reader.seal },
  'delivery-status': { code: 550, message: '5.1.1 The email account that you tried to reach does not exist' },
  ...more,
})

test('Mailgun: signed with the key, in its time, and each token for one event', async () => {
  const room = await aProviderRoom('mailgun')
  const [first, second] = room.readers
  const complained = {
    event: 'complained',
    id: 'c',
    recipient: second.address,
    'user-variables': { depeche: second.seal },
  }
  expect(await room.post(fromMailgun(failed(first)))).toBe(401)
  await room.setKey(` ${mailgunKey}\n`)
  const refused = [
    fromMailgun(failed(first), { key: 'another-key-of-somebody-else' }),
    fromMailgun(failed(first), { at: ago(25 * hourMs) }),
    fromMailgun(failed(first), { at: ago(-hourMs) }),
    fromMailgun(failed(first), { token: '' }),
    { body: JSON.stringify({ 'event-data': failed(first) }) },
    { body: fromMailgun(failed(first)).body.replace(/"signature":"../, '"signature":"zz') },
  ]
  for (const posting of refused) expect(await room.post(posting)).toBe(401)
  await untouched(room)

  // What was opened proves nothing of what bounced.
  const opened = fromMailgun({ event: 'opened', id: 'o', recipient: first.address }, { token: 'once' })
  expect(await room.post(opened)).toBe(200)
  expect(await room.post(fromMailgun(failed(first), { token: 'once' }))).toBe(401)
  await untouched(room)

  const bounced = fromMailgun(failed(first), { token: 'twice', at: ago(8 * hourMs) })
  expect(await room.post(bounced)).toBe(200)
  expect(await room.post(bounced)).toBe(200)
  expect(await room.post(fromMailgun(complained, { token: 'twice' }))).toBe(401)
  expect(await room.classes()).toEqual(['dead'])
  expect(await room.post(fromMailgun(complained))).toBe(200)
  expect(await room.readersNow()).toEqual(['bounced', 'complained', 'active'])
  expect(await room.counts()).toEqual({ progress: [1, 0], bounce: [1, 0], complaint: [1, 0] })
})

test('SendGrid: a batch is signed as a whole, byte by byte', async () => {
  const room = await aProviderRoom('sendgrid')
  const [first, second, third] = room.readers
  const { privateKey, publicKey } = aSendgridKey()
  const event = (reader: Reader, name: string, more: object = {}) => ({
    email: reader.address,
    event: name,
    sg_event_id: `${name}-${reader.id}`,
    sg_message_id: 'x.recvd-1',
    timestamp: 1_513_299_569,
    depeche: reader.seal,
    ...more,
  })
  const batch = [
    event(first, 'bounce', { type: 'bounce', status: '5.1.1', reason: '550 5.1.1 user unknown' }),
    event(second, 'spamreport'),
    event(third, 'group_unsubscribe', { asm_group_id: 10 }),
    event(third, 'open'),
    event(third, 'deferred', { response: '400 try again later' }),
    event(third, 'account_status_change'),
  ]
  expect(await room.post(fromSendgrid(batch, privateKey))).toBe(401)
  await room.setKey(`-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----`)
  const good = fromSendgrid(batch, privateKey)
  const refused = [
    fromSendgrid(batch, aSendgridKey().privateKey),
    fromSendgrid(batch, privateKey, ago(25 * hourMs)),
    { ...good, body: `${good.body} ` },
    { body: good.body },
    { body: good.body, headers: { ...good.headers, 'x-twilio-email-event-webhook-timestamp': '1' } },
    { body: good.body, headers: { ...good.headers, 'x-twilio-email-event-webhook-signature': 'MEQCIA==' } },
  ]
  for (const posting of refused) expect(await room.post(posting)).toBe(401)
  await untouched(room)
  expect(await room.post(good)).toBe(200)
  expect(await room.post(good)).toBe(200)
  expect(await room.readersNow()).toEqual(['bounced', 'complained', 'unsubscribed'])
  expect((await room.counts())['bounce']).toEqual([1, 0])
})

const sesBounce = (reader: Reader, more: object = {}) => ({
  notificationType: 'Bounce',
  bounce: {
    bounceType: 'Permanent',
    bounceSubType: 'General',
    feedbackId: '1',
    timestamp: '2026-01-27T14:59:38.237Z',
    bouncedRecipients: [
      {
        emailAddress: reader.address,
        status: '5.1.1',
        action: 'failed',
        diagnosticCode: `smtp; 550 5.1.1 <${reader.address}>... User unknown`,
      },
    ],
  },
  mail: {
    messageId: '0107018f2b3c-1f2e-000000',
    destination: [reader.address],
    headers: [{ name: 'Message-ID', value: reader.messageId }],
    ...more,
  },
})

async function anSesRoom() {
  const { privateKey, certificate } = aCertificate()
  const amazon = await anAmazon((request, response) => {
    response.end(request.url?.endsWith('.pem') ? certificate : '<ConfirmSubscriptionResponse/>')
  })
  return { ...amazon, privateKey, room: await aProviderRoom('ses', amazon) }
}

test.each(['1', '2'])(
  'SES: what Amazon SNS signs (version %s) is heard once its topic is confirmed',
  async (version) => {
    const { room, asked, privateKey } = await anSesRoom()
    const [first, second] = room.readers
    const notify = (message: object | string, changes: Record<string, string> = {}) =>
      room.post(fromSns('Notification', message, privateKey, { SignatureVersion: version, ...changes }))
    expect(await notify(sesBounce(first))).toBe(401)
    expect(asked).toEqual([])
    const confirm = fromSns('SubscriptionConfirmation', 'You have chosen', privateKey, {
      SignatureVersion: version,
    })
    expect(await room.post(confirm)).toBe(200)
    expect(asked).toEqual([
      'https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem',
      'https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription&Token=abc',
    ])
    expect((await room.find('ses')).topic).toBe(snsTopic)
    expect(
      await room.rows(`select actor, action, detail from audit where action = 'provider.confirmed'`),
    ).toEqual([{ actor: 'provider:ses', action: 'provider.confirmed', detail: { topic: snsTopic } }])

    const theirs = { TopicArn: 'arn:aws:sns:eu-west-3:999999999999:depeche' }
    expect(await room.post(fromSns('SubscriptionConfirmation', 'x', privateKey, theirs))).toBe(401)
    expect(await notify(sesBounce(first), theirs)).toBe(401)
    expect(await notify(sesBounce(first), { Timestamp: ago(25 * hourMs).toISOString() })).toBe(401)
    expect(await notify(sesBounce(first), { Timestamp: 'yesterday' })).toBe(401)
    const forged = fromSns('Notification', sesBounce(first), aCertificate().privateKey, {
      SignatureVersion: version,
    })
    expect(await room.post(forged)).toBe(401)
    const altered = fromSns('Notification', sesBounce(first), privateKey)
    expect(await room.post({ ...altered, body: altered.body.replace('User unknown', 'User unknow') })).toBe(
      401,
    )
    await untouched(room)

    expect(await notify(sesBounce(first))).toBe(200)
    expect(
      await notify('Successfully validated SNS topic for Amazon SES event publishing.', { Subject: 'Hello' }),
    ).toBe(200)
    expect(
      await notify({
        eventType: 'Complaint',
        complaint: {
          complainedRecipients: [{ emailAddress: second.address }],
          complaintFeedbackType: 'abuse',
        },
        mail: { messageId: 'x', tags: { depeche: [second.seal] } },
      }),
    ).toBe(200)
    expect(await room.readersNow()).toEqual(['bounced', 'complained', 'active'])
    expect(await room.counts()).toEqual({ bounce: [1, 0], complaint: [1, 0], other: [1, 0] })
    // The certificate was fetched once.
    expect(asked.filter((url) => url.endsWith('.pem'))).toHaveLength(1)
  },
)

test('SES: nothing but Amazon’s own host is ever asked', async () => {
  const { room, asked, privateKey } = await anSesRoom()
  const strange = [
    'http://sns.eu-west-3.amazonaws.com/a.pem',
    'https://sns.eu-west-3.amazonaws.com.evil.example/a.pem',
    'https://evil.example/sns.eu-west-3.amazonaws.com/a.pem',
    'https://sns.eu-west-3.amazonaws.com@evil.example/a.pem',
    'https://user:pass@sns.eu-west-3.amazonaws.com/a.pem',
    'https://sns.eu-west-3.amazonaws.com:8443/a.pem',
    'https://sns.evil.example.amazonaws.com/a.pem',
    'https://sns.amazonaws.com/a.pem',
    'https://bucket.s3.amazonaws.com/a.pem',
    'https://sns.eu-west-3.amazonaws.com\\@evil.example/a.pem',
    'https://169.254.169.254/latest/a.pem',
    'https://[::1]/a.pem',
    'file:///etc/ssl/a.pem',
    'a.pem',
    '',
  ]
  for (const url of strange) {
    const signing = fromSns('SubscriptionConfirmation', 'x', privateKey, { SigningCertURL: url })
    expect(await room.post(signing), url).toBe(401)
    const subscribing = fromSns('SubscriptionConfirmation', 'x', privateKey, { SubscribeURL: url })
    expect(await room.post(subscribing), url).toBe(401)
  }
  const noCertificate = { SigningCertURL: 'https://sns.eu-west-3.amazonaws.com/?Action=Publish' }
  expect(await room.post(fromSns('SubscriptionConfirmation', 'x', privateKey, noCertificate))).toBe(401)
  expect(asked).toEqual([])
  expect((await room.find('ses')).isReady).toBe(false)
})

test('SES: a copy that is held asks nobody, and Amazon is told to come again', async () => {
  const { room, asked, privateKey } = await anSesRoom()
  const confirm = () => room.post(fromSns('SubscriptionConfirmation', 'x', privateKey))
  const identity = await room.web.context.database.stores.instanceGuard.getIdentity()
  await room.web.context.database.stores.instanceGuard.put(identity)
  await room.web.context.database.stores.instanceGuard.markHeld()
  expect(await confirm()).toBe(401)
  await room.rows('update providers set topic = $1', [snsTopic])
  expect(await confirm()).toBe(503)
  expect(asked).toEqual([])
  await room.web.context.database.stores.instanceGuard.put(identity)
  expect(await confirm()).toBe(200)
  // A new address has to be confirmed again.
  await room.services.providers.renew('ses', { kind: 'cli', role: 'admin' })
  expect((await room.find('ses')).topic).toBeUndefined()
})
