import { createPublicKey, verify } from 'node:crypto'
import type { ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import { diagnose, entryOf, idOf, isInWindow, keptBack, kindFinder, sealsIn, textAt } from './provider.ts'
import type { Provider } from './provider.ts'

const signatureHeader = 'x-twilio-email-event-webhook-signature'
const timestampHeader = 'x-twilio-email-event-webhook-timestamp'

/** SendGrid's Signed Event Webhook: ECDSA over the time and the bytes of the body. */
export const sendgrid: Provider = {
  read({ body, json, header }, { key }, { at }) {
    const timestamp = header(timestampHeader) ?? ''
    if (key === undefined || !/^\d{1,12}$/.test(timestamp)) return undefined
    if (!isInWindow(Number(timestamp) * 1000, at)) return undefined
    const signature = Buffer.from(header(signatureHeader) ?? '', 'base64')
    const data = Buffer.concat([Buffer.from(timestamp), body])
    if (!verify('sha256', data, publicKeyOf(key), signature)) return undefined
    return { events: [json].flat().map(readEvent) }
  },
  readKey(text) {
    const key = text.replace(/-----[A-Z ]+-----|\s/g, '')
    try {
      const { asymmetricKeyDetails } = publicKeyOf(key)
      return asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined
    } catch {
      return undefined
    }
  },
}

const publicKeyOf = (key: string) =>
  createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })

const kindOf = kindFinder({
  bounce: 'bounce blocked dropped',
  complaint: 'spamreport',
  unsubscribe: 'unsubscribe group_unsubscribe',
  delay: 'deferred',
  progress: 'processed delivered open click',
})

function readEvent(json: unknown): ProviderEvent {
  const event = textAt(json, 'event')
  const recipient = textAt(json, 'email')
  const messageId = textAt(json, 'sg_message_id')
  const kind = kindOf(event)
  return {
    id: textAt(json, 'sg_event_id') || idOf(event, recipient, messageId, textAt(json, 'timestamp')),
    kind,
    recipient,
    seals: sealsIn(textAt(json, 'depeche'), textAt(json, 'smtp-id')),
    // What follows the first part names servers of theirs.
    relayId: messageId.replace(/\.(?:filter|recvd).*/s, ''),
    ...(kind === 'bounce' && (event === 'dropped' ? judgeDropped(json) : judgeBounce(json))),
  }
}

/** Never tried: for what an earlier mail met, or for something of ours. */
function judgeDropped(json: unknown): Partial<ProviderEvent> {
  const reason = textAt(json, 'reason')
  if (/^spam reporting/i.test(reason)) return { kind: 'complaint' }
  if (/^unsubscribed/i.test(reason)) return { kind: 'unsubscribe' }
  if (/^bounced/i.test(reason)) return { diagnosis: keptBack }
  return /^invalid$/i.test(reason) ? { diagnosis: diagnose(reason, '5.1.3') } : { kind: 'other' }
}

/** What SendGrid makes of an answer, where the answer does not say. */
const verdicts: Record<string, string> = {
  'Invalid Address': '5.1.1',
  'Mailbox Unavailable': '5.2.1',
  Content: '5.6.0',
  Technical: '5.4.7',
  Reputation: '5.7.1',
  'Frequency or Volume Too High': '5.7.1',
}

function judgeBounce(json: unknown): Partial<ProviderEvent> {
  const isBlocked = textAt(json, 'type') === 'blocked' || textAt(json, 'event') === 'blocked'
  const verdict = entryOf(verdicts, textAt(json, 'bounce_classification')) ?? (isBlocked ? '5.7.1' : '5.0.0')
  return { diagnosis: diagnose(textAt(json, 'reason'), verdict, { status: textAt(json, 'status') }) }
}
