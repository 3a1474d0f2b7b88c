import type { ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import { diagnose, entryOf, idOf, keptBack, kindFinder, sealsIn, textAt, type Provider } from './provider.ts'

/** Brevo signs nothing: the token in the address is the proof. */
export const brevo: Provider = {
  read: ({ json }) => ({ events: [json].flat().map(readEvent) }),
}

const kindOf = kindFinder({
  bounce: 'hardbounce softbounce blocked invalidemail invalid',
  complaint: 'spam complaint',
  unsubscribe: 'unsubscribe unsubscribed',
  delay: 'deferred',
  progress: 'request sent delivered opened uniqueopened proxyopen click',
})

const verdicts: Record<string, string> = {
  hardbounce: '5.0.0',
  softbounce: '4.0.0',
  invalidemail: '5.1.3',
  invalid: '5.1.3',
}

function readEvent(json: unknown): ProviderEvent {
  const event = textAt(json, 'event').toLowerCase().replaceAll('_', '')
  const recipient = textAt(json, 'email')
  const messageId = textAt(json, 'message-id')
  const kind = kindOf(event)
  // `id` is that of the webhook.
  const at =
    textAt(json, 'ts_epoch') || textAt(json, 'ts_event') || textAt(json, 'ts') || textAt(json, 'date')
  return {
    id: idOf(event, recipient, messageId, at),
    kind,
    recipient,
    seals: sealsIn(textAt(json, 'X-Mailin-custom'), messageId),
    relayId: messageId.replace(/^<|>$/g, ''),
    ...(kind === 'bounce' && judge(event, textAt(json, 'reason'))),
  }
}

/** Blocked is who stands on a list of theirs. */
const judge = (event: string, reason: string): Partial<ProviderEvent> => ({
  diagnosis: event === 'blocked' ? keptBack : diagnose(reason, entryOf(verdicts, event) ?? '5.0.0'),
})
