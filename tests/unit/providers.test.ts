import { expect, test } from 'vitest'
import { classifyBounce } from '../../src/domain/deliverability/bounce.ts'
import type { ProviderName } from '../../src/domain/deliverability/provider-event.ts'
import { createProviders } from '../../src/mail/providers/providers.ts'
import {
  aSendgridKey,
  fromMailgun,
  fromSendgrid,
  fromSns,
  mailgunKey,
  snsTopic,
  aCertificate,
} from '../support/provider-postings.ts'

const providers = createProviders()
const sendgridKey = aSendgridKey()
const amazon = aCertificate()

/** What an event comes to: the class of a bounce, else its kind. */
async function meaningOf(name: ProviderName, json: object) {
  const { body, headers = {} } =
    name === 'mailgun'
      ? fromMailgun(json)
      : name === 'sendgrid'
        ? fromSendgrid([json], sendgridKey.privateKey)
        : name === 'ses'
          ? fromSns('Notification', json, amazon.privateKey)
          : { body: JSON.stringify(json) }
  const reading = await providers[name].read(
    {
      body: Buffer.from(body),
      json: JSON.parse(body),
      header: (header) => headers[header],
    },
    { key: name === 'mailgun' ? mailgunKey : sendgridKey.publicKey, topic: snsTopic },
    { at: new Date(), fetch: () => Promise.resolve(amazon.certificate) },
  )
  const event = reading?.events[0]
  return event?.kind === 'bounce' && event.diagnosis ? classifyBounce(event.diagnosis, 'dsn') : event?.kind
}

const mailgun = (reason: string, status: object, severity = 'permanent') => ({
  event: 'failed',
  id: '1',
  severity,
  reason,
  recipient: 'a@b.example',
  'delivery-status': status,
})

test.each([
  [mailgun('bounce', { code: 550, message: '5.1.1 user unknown' }), 'dead'],
  [mailgun('bounce', { code: 550, message: '' }), 'policy'],
  [mailgun('bounce', { code: 552, 'enhanced-code': '5.2.2', message: 'full' }), 'full'],
  [mailgun('generic', { code: 498, message: 'No MX for b.example' }), 'doubtful'],
  [mailgun('espblock', { code: 550, message: 'blocked' }), 'policy'],
  [
    mailgun('espblock', { code: 554, message: '5.7.1 Service unavailable; client host listed at spamhaus' }),
    'policy',
  ],
  [mailgun('old', { code: 602, message: 'Too old' }), 'transient'],
  [
    mailgun('suppress-bounce', { code: 605, message: 'Not delivering to previously bounced address' }),
    'doubtful',
  ],
  [
    mailgun('suppress-complaint', {
      code: 607,
      message: 'Not delivering to a user who marked your messages as spam',
    }),
    'complaint',
  ],
  [
    mailgun('suppress-unsubscribe', { code: 606, message: 'Not delivering to unsubscribed address' }),
    'unsubscribe',
  ],
  [mailgun('generic', { code: 451, message: 'greylisted' }, 'temporary'), 'delay'],
  [{ event: 'complained', id: '1' }, 'complaint'],
  [{ event: 'unsubscribed', id: '1' }, 'unsubscribe'],
  [{ event: 'delivered', id: '1' }, 'progress'],
  [{ event: 'rejected', id: '1' }, 'other'],
])('Mailgun %# %j', async (event, meaning) => {
  expect(await meaningOf('mailgun', event)).toBe(meaning)
})

const sendgrid = (event: string, more: object = {}) => ({
  event,
  email: 'a@b.example',
  sg_event_id: '1',
  ...more,
})

test.each([
  [sendgrid('bounce', { type: 'bounce', status: '5.1.1', reason: '550 5.1.1 user unknown' }), 'dead'],
  [
    sendgrid('bounce', {
      type: 'bounce',
      status: '5.0.0',
      reason: '',
      bounce_classification: 'Invalid Address',
    }),
    'dead',
  ],
  [sendgrid('bounce', { type: 'bounce', status: '', reason: '' }), 'doubtful'],
  [sendgrid('bounce', { type: 'bounce', reason: '552 5.2.2 mailbox full' }), 'full'],
  [sendgrid('bounce', { type: 'blocked', status: '', reason: '' }), 'policy'],
  [
    sendgrid('bounce', { type: 'blocked', status: '5.7.1', reason: '550 5.7.1 blocked, your IP is listed' }),
    'policy',
  ],
  [sendgrid('bounce', { type: 'blocked', status: '4.0.0', reason: '421 too many connections' }), 'policy'],
  [sendgrid('bounce', { type: 'blocked', reason: '', bounce_classification: 'Technical' }), 'transient'],
  [sendgrid('dropped', { reason: 'Bounced Address' }), 'doubtful'],
  [sendgrid('dropped', { reason: 'Spam Reporting Address' }), 'complaint'],
  [sendgrid('dropped', { reason: 'Unsubscribed Address' }), 'unsubscribe'],
  [sendgrid('dropped', { reason: 'Invalid' }), 'dead'],
  [sendgrid('dropped', { reason: 'Invalid SMTPAPI header' }), 'other'],
  [sendgrid('dropped', { reason: 'Recipient List over Package Quota' }), 'other'],
  [sendgrid('dropped', { reason: 'Spam Content' }), 'other'],
  [sendgrid('spamreport'), 'complaint'],
  [sendgrid('unsubscribe'), 'unsubscribe'],
  [sendgrid('group_resubscribe'), 'other'],
  [sendgrid('deferred', { response: '450 4.2.1 try later' }), 'delay'],
  [sendgrid('click'), 'progress'],
])('SendGrid %# %j', async (event, meaning) => {
  expect(await meaningOf('sendgrid', event)).toBe(meaning)
})

const ses = (bounceType: string, bounceSubType: string, recipient: object = {}) => ({
  notificationType: 'Bounce',
  bounce: { bounceType, bounceSubType, bouncedRecipients: [{ emailAddress: 'a@b.example', ...recipient }] },
  mail: { messageId: 'x' },
})

test.each([
  [ses('Permanent', 'General', { status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' }), 'dead'],
  [ses('Permanent', 'General'), 'doubtful'],
  [ses('Permanent', 'NoEmail'), 'doubtful'],
  [
    ses('Permanent', 'Suppressed', {
      status: '5.1.1',
      diagnosticCode:
        'Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.',
    }),
    'doubtful',
  ],
  [
    ses('Permanent', 'OnAccountSuppressionList', {
      status: '5.1.1',
      diagnosticCode:
        'Amazon SES did not send the message to this address because it is on the suppression list for your account.',
    }),
    'doubtful',
  ],
  [ses('Transient', 'MailboxFull'), 'full'],
  [ses('Transient', 'MessageTooLarge'), 'content'],
  [ses('Transient', 'ContentRejected'), 'content'],
  [
    ses('Transient', 'General', {
      status: '4.4.7',
      diagnosticCode: 'smtp; 550 4.4.7 Message expired: unable to deliver in 840 minutes',
    }),
    'transient',
  ],
  [ses('Transient', 'General'), 'delay'],
  [ses('Undetermined', 'Undetermined'), 'delay'],
  [
    ses('Permanent', 'General', {
      status: '5.7.1',
      diagnosticCode: 'smtp; 554 5.7.1 rejected due to poor reputation of your IP',
    }),
    'policy',
  ],
  [{ eventType: 'DeliveryDelay', mail: {} }, 'delay'],
  [{ eventType: 'Open', mail: {} }, 'progress'],
  [{ eventType: 'Rendering Failure', mail: {} }, 'other'],
  [
    {
      notificationType: 'Complaint',
      complaint: { complaintFeedbackType: 'not-spam', complainedRecipients: [{}] },
    },
    'other',
  ],
  [{ notificationType: 'Complaint', complaint: { complainedRecipients: [{}] } }, 'complaint'],
])('SES %# %j', async (event, meaning) => {
  expect(await meaningOf('ses', event)).toBe(meaning)
})

const postmark = (Type: string, Details = '') => ({
  RecordType: 'Bounce',
  ID: 1,
  Type,
  Details,
  Description: 'unknown user, mailbox not found',
  Email: 'a@b.example',
})
const change = (more: object) => ({
  RecordType: 'SubscriptionChange',
  Recipient: 'a@b.example',
  SuppressSending: true,
  ...more,
})

test.each([
  [postmark('HardBounce', 'smtp;550 5.1.1 does not exist'), 'dead'],
  [postmark('HardBounce'), 'doubtful'],
  [postmark('SoftBounce', '452 4.2.2 mailbox full'), 'full'],
  [postmark('Transient'), 'transient'],
  [postmark('DnsError'), 'transient'],
  [postmark('BadEmailAddress'), 'dead'],
  [postmark('ManuallyDeactivated'), 'doubtful'],
  [postmark('SpamNotification', 'smtp;550 5.1.1 rejected as spam'), 'policy'],
  [postmark('Blocked'), 'policy'],
  [postmark('DMARCPolicy'), 'policy'],
  [postmark('SpamComplaint'), 'complaint'],
  [postmark('Unsubscribe'), 'unsubscribe'],
  [postmark('AutoResponder'), 'other'],
  [postmark('SMTPApiError'), 'other'],
  [{ RecordType: 'SpamComplaint' }, 'complaint'],
  [{ RecordType: 'Delivery' }, 'progress'],
  [change({ SuppressionReason: 'ManualSuppression', Origin: 'Recipient' }), 'unsubscribe'],
  [change({ SuppressionReason: 'ManualSuppression', Origin: 'Customer' }), 'other'],
  [change({ SuppressionReason: 'HardBounce', Origin: 'Recipient' }), 'doubtful'],
  [change({ SuppressSending: false, SuppressionReason: null, Origin: 'Recipient' }), 'other'],
])('Postmark %# %j', async (event, meaning) => {
  expect(await meaningOf('postmark', event)).toBe(meaning)
})

test.each([
  [{ event: 'hard_bounce', reason: '550 5.1.1 user unknown' }, 'dead'],
  [{ event: 'hard_bounce', reason: '' }, 'doubtful'],
  [{ event: 'soft_bounce', reason: 'server is down' }, 'transient'],
  [{ event: 'soft_bounce', reason: '552 5.2.2 over quota' }, 'full'],
  [{ event: 'blocked', reason: 'blocked : due to blacklist user' }, 'doubtful'],
  [{ event: 'invalid_email' }, 'dead'],
  [{ event: 'spam' }, 'complaint'],
  [{ event: 'unsubscribed' }, 'unsubscribe'],
  [{ event: 'deferred' }, 'delay'],
  [{ event: 'unique_opened' }, 'progress'],
  [{ event: 'error' }, 'other'],
])('Brevo %# %j', async (event, meaning) => {
  expect(await meaningOf('brevo', { email: 'a@b.example', ...event })).toBe(meaning)
})

test.each([
  ['mailgun', 'short'],
  ['mailgun', 'with a blank in it, though long'],
  ['sendgrid', 'SG.not-a-public-key'],
  ['sendgrid', ''],
] as const)('%s: %j is no key of theirs', (name, text) => {
  expect(providers[name].readKey?.(text)).toBeUndefined()
})
