import type { ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import { diagnose, entryOf, idOf, keptBack, sealsIn, textAt, valueAt, type Provider } from './provider.ts'

/** Postmark signs nothing: the token in the address is the proof. */
export const postmark: Provider = {
  read: ({ json }) => ({ events: [json].flat().map(readEvent) }),
}

function readEvent(json: unknown): ProviderEvent {
  const type = textAt(json, 'RecordType')
  const recipient = textAt(json, 'Email') || textAt(json, 'Recipient')
  const relayId = textAt(json, 'MessageID')
  const at = ['BouncedAt', 'ChangedAt', 'ReceivedAt', 'DeliveredAt'].map((name) => textAt(json, name))
  return {
    // Bounces have a number, and the same one for the complaint that follows.
    id: idOf(type, textAt(json, 'ID'), recipient, relayId, ...at),
    recipient,
    seals: sealsIn(textAt(json, 'Metadata', 'depeche')),
    relayId,
    ...judge(type, json),
  }
}

type Judgement = Pick<ProviderEvent, 'kind' | 'diagnosis'>

function judge(record: string, json: unknown): Judgement {
  if (record === 'SpamComplaint') return { kind: 'complaint' }
  if (record === 'Bounce') return judgeBounce(json)
  if (record === 'SubscriptionChange') return judgeChange(json)
  return { kind: ['Delivery', 'Open', 'Click'].includes(record) ? 'progress' : 'other' }
}

/** Postmark's own names for why, as the status they amount to. Its descriptions are the same for all of a name. */
const verdicts: Record<string, string> = {
  HardBounce: '5.0.0',
  SoftBounce: '4.0.0',
  Unknown: '4.0.0',
  Transient: '4.0.0',
  DnsError: '4.4.3',
  BadEmailAddress: '5.1.3',
  SpamNotification: '5.7.1',
  VirusNotification: '5.7.1',
  Blocked: '5.7.1',
  DMARCPolicy: '5.7.26',
}

function judgeBounce(json: unknown): Judgement {
  const type = textAt(json, 'Type')
  if (type === 'SpamComplaint') return { kind: 'complaint' }
  if (type === 'Unsubscribe') return { kind: 'unsubscribe' }
  if (type === 'ManuallyDeactivated') return { kind: 'bounce', diagnosis: keptBack }
  const verdict = entryOf(verdicts, type)
  // Absences, challenges, and what Postmark could not do.
  if (verdict === undefined) return { kind: 'other' }
  return { kind: 'bounce', diagnosis: diagnose(textAt(json, 'Details'), verdict) }
}

function judgeChange(json: unknown): Judgement {
  if (valueAt(json, 'SuppressSending') !== true) return { kind: 'other' }
  const reason = textAt(json, 'SuppressionReason')
  if (reason === 'SpamComplaint') return { kind: 'complaint' }
  if (reason === 'HardBounce') return { kind: 'bounce', diagnosis: keptBack }
  // By somebody of the newsroom it says nothing of what the reader wants.
  return { kind: textAt(json, 'Origin') === 'Recipient' ? 'unsubscribe' : 'other' }
}
