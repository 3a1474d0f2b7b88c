import { execFileSync } from 'node:child_process'
import { createHmac, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One POST as a provider makes it. */
export interface SignedPosting {
  body: string
  headers?: Record<string, string>
}

const secondsOf = (at: Date) => String(Math.floor(at.getTime() / 1000))

export const mailgunKey = 'key-3ax6xnjp29jd6fds4gc373sgvjxteol0'

/** What Mailgun posts for one event. */
export function fromMailgun(
  data: object,
  { key = mailgunKey, at = new Date(), token = randomUUID().replaceAll('-', '') } = {},
): SignedPosting {
  const timestamp = secondsOf(at)
  const signature = createHmac('sha256', key).update(timestamp).update(token).digest('hex')
  return { body: JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': data }) }
}

export function aSendgridKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') }
}

export function fromSendgrid(events: unknown, privateKey: KeyObject, at = new Date()): SignedPosting {
  const body = JSON.stringify(events)
  const timestamp = secondsOf(at)
  return {
    body,
    headers: {
      'x-twilio-email-event-webhook-timestamp': timestamp,
      'x-twilio-email-event-webhook-signature': sign(
        'sha256',
        Buffer.from(timestamp + body),
        privateKey,
      ).toString('base64'),
    },
  }
}

/** A key and its certificate, as Amazon SNS has one for each region. */
export function aCertificate(): { privateKey: string; certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const subject = ['-subj', '/CN=sns.amazonaws.com', '-days', '30']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject],
    { stdio: 'ignore' },
  )
  const made = { privateKey: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') }
  rmSync(folder, { recursive: true })
  return made
}

export const snsTopic = 'arn:aws:sns:eu-west-3:123456789012:depeche'
const sns = 'https://sns.eu-west-3.amazonaws.com'

/** What SNS posts: `Notification` around a message of SES, or `SubscriptionConfirmation`. */
export function fromSns(
  type: 'Notification' | 'SubscriptionConfirmation',
  message: object | string,
  privateKey: string,
  changes: Record<string, string> = {},
): SignedPosting {
  const isConfirmation = type === 'SubscriptionConfirmation'
  const fields: Record<string, string> = {
    Type: type,
    MessageId: randomUUID(),
    TopicArn: snsTopic,
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: new Date().toISOString(),
    SignatureVersion: '1',
    SigningCertURL: `${sns}/SimpleNotificationService-0123456789abcdef.pem`,
    ...(isConfirmation && { Token: 'abc', SubscribeURL: `${sns}/?Action=ConfirmSubscription&Token=abc` }),
    ...changes,
  }
  const names = isConfirmation
    ? ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
    : ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
  const text = names
    .filter((name) => name in fields)
    .map((name) => `${name}\n${fields[name] ?? ''}\n`)
    .join('')
  const algorithm = fields['SignatureVersion'] === '2' ? 'RSA-SHA256' : 'RSA-SHA1'
  const signature = sign(algorithm, Buffer.from(text), privateKey).toString('base64')
  return {
    body: JSON.stringify({ ...fields, Signature: signature }),
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': type },
  }
}
