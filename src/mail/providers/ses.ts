import { verify, X509Certificate } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import {
  diagnose,
  entryOf,
  isInWindow,
  keptBack,
  kindFinder,
  listAt,
  sealsIn,
  textAt,
  valueAt,
} from './provider.ts'
import type { ProofSettings, ProofTools, Provider } from './provider.ts'

const signed = {
  Notification: 'Message MessageId Subject Timestamp TopicArn Type',
  SubscriptionConfirmation: 'Message MessageId SubscribeURL Timestamp Token TopicArn Type',
}
const algorithms: Record<string, string> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' }
const amazon = /^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?$/

/** Amazon SES, by Amazon SNS: every notification is signed, and the certificate is fetched from SNS alone. */
export function createSes(): Provider {
  // There is one at a time; the rest would be somebody's game.
  const certificates = new LRUCache<string, X509Certificate>({ max: 8 })
  const certificateAt = async (url: string, { fetch, at }: ProofTools): Promise<X509Certificate> => {
    const known = certificates.get(url)
    if (known && known.validToDate > at) return known
    const certificate = new X509Certificate(await fetch(url))
    certificates.set(url, certificate)
    return certificate
  }

  const isSigned = async (json: unknown, settings: ProofSettings, tools: ProofTools): Promise<boolean> => {
    const algorithm = entryOf(algorithms, textAt(json, 'SignatureVersion'))
    const url = amazonUrl(textAt(json, 'SigningCertURL'))
    if (algorithm === undefined || !url?.pathname.endsWith('.pem')) return false
    try {
      const { publicKey, validToDate } = await certificateAt(url.href, tools)
      const signature = Buffer.from(textAt(json, 'Signature'), 'base64')
      return validToDate > tools.at && verify(algorithm, canonical(json), publicKey, signature)
    } catch (error) {
      // A topic that we know is tried again by Amazon; what anybody may send us is not.
      if (settings.topic !== undefined && error instanceof Error && 'kind' in error) throw error
      return false
    }
  }

  return {
    async read({ json }, settings, tools) {
      const type = textAt(json, 'Type')
      const topic = textAt(json, 'TopicArn')
      if (type !== 'Notification' && type !== 'SubscriptionConfirmation') return undefined
      // The first topic that was confirmed is ours.
      if (topic === '' || topic !== (settings.topic ?? (type === 'Notification' ? '' : topic)))
        return undefined
      if (!isInWindow(Date.parse(textAt(json, 'Timestamp')), tools.at)) return undefined
      const subscribe = amazonUrl(textAt(json, 'SubscribeURL'))
      if (type === 'SubscriptionConfirmation' && !subscribe) return undefined
      if (!(await isSigned(json, settings, tools))) return undefined
      if (type === 'SubscriptionConfirmation' && subscribe) {
        return { events: [], confirmation: { topic, url: subscribe.href } }
      }
      return { events: readMessage(textAt(json, 'Message'), textAt(json, 'MessageId')) }
    },
  }
}

/** Written as the URL parser would write it: without tricks, a port or a name, and at Amazon's. */
function amazonUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  const isPlain = url?.href === text && url.protocol === 'https:' && url.username === '' && url.port === ''
  return isPlain && amazon.test(url.hostname) ? url : undefined
}

function canonical(json: unknown): Buffer {
  const names =
    textAt(json, 'Type') === 'Notification' ? signed.Notification : signed.SubscriptionConfirmation
  const present = names.split(' ').filter((name) => typeof valueAt(json, name) === 'string')
  return Buffer.from(present.map((name) => `${name}\n${textAt(json, name)}\n`).join(''))
}

const kindOf = kindFinder({
  bounce: 'Bounce',
  complaint: 'Complaint',
  delay: 'DeliveryDelay',
  progress: 'Delivery Send Open Click',
})

function readMessage(message: string, id: string): ProviderEvent[] {
  let json: unknown
  try {
    json = JSON.parse(message)
  } catch {
    // Amazon writes a sentence to a topic that was just set up.
    return [{ id, kind: 'other', recipient: '', seals: [] }]
  }
  const kind = kindOf(textAt(json, 'notificationType') || textAt(json, 'eventType'))
  const shared = { kind, seals: sealsOf(json), relayId: textAt(json, 'mail', 'messageId') }
  if (kind === 'bounce') {
    return listAt(json, 'bounce', 'bouncedRecipients').map((recipient, index) => ({
      ...shared,
      id: `${id}:${index}`,
      recipient: textAt(recipient, 'emailAddress'),
      ...judge(valueAt(json, 'bounce'), recipient),
    }))
  }
  if (kind !== 'complaint') return [{ ...shared, id, recipient: '' }]
  const isSpam = textAt(json, 'complaint', 'complaintFeedbackType') !== 'not-spam'
  return listAt(json, 'complaint', 'complainedRecipients').map((recipient, index) => ({
    ...shared,
    id: `${id}:${index}`,
    kind: isSpam ? 'complaint' : 'other',
    recipient: textAt(recipient, 'emailAddress'),
  }))
}

const sealsOf = (json: unknown): string[] =>
  sealsIn(
    ...listAt(json, 'mail', 'tags', 'depeche').map(String),
    ...listAt(json, 'mail', 'headers')
      .filter((header) => /^(message-id|x-ses-message-tags)$/i.test(textAt(header, 'name')))
      .map((header) => textAt(header, 'value')),
    textAt(json, 'mail', 'commonHeaders', 'messageId'),
  )

const verdicts: Record<string, string> = {
  MailboxFull: '4.2.2',
  MessageTooLarge: '5.3.4',
  ContentRejected: '5.6.0',
  AttachmentRejected: '5.6.0',
}

function judge(bounce: unknown, recipient: unknown): Partial<ProviderEvent> {
  const subtype = textAt(bounce, 'bounceSubType')
  if (/suppress/i.test(subtype)) return { diagnosis: keptBack }
  const isPermanent = textAt(bounce, 'bounceType') === 'Permanent'
  const said = textAt(recipient, 'diagnosticCode').replace(/^[\w-]{1,40}[ \t]{0,9};\s*/, '')
  // So Amazon calls absences too.
  if (!isPermanent && said === '' && entryOf(verdicts, subtype) === undefined) return { kind: 'delay' }
  const verdict = entryOf(verdicts, subtype) ?? (isPermanent ? '5.0.0' : '4.0.0')
  return { diagnosis: diagnose(said, verdict, { status: textAt(recipient, 'status') }) }
}
