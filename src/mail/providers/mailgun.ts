import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import {
  diagnose,
  entryOf,
  idOf,
  isInWindow,
  keptBack,
  kindFinder,
  sealsIn,
  textAt,
  valueAt,
} from './provider.ts'
import type { Provider } from './provider.ts'

/** Mailgun signs a time and a token, not the event: a token is good for one event alone. */
export const mailgun: Provider = {
  read({ json }, { key }, { at }) {
    const [timestamp, token, signature] = ['timestamp', 'token', 'signature'].map((name) =>
      textAt(json, 'signature', name),
    ) as [string, string, string]
    if (key === undefined || token === '' || !isInWindow(Number(timestamp) * 1000, at)) return undefined
    const expected = createHmac('sha256', key).update(`${timestamp}${token}`).digest()
    const given = Buffer.from(signature, 'hex')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    return { events: [readEvent(valueAt(json, 'event-data'))], token }
  },
  readKey: (text) => (/^[\x21-\x7e]{16,200}$/.test(text) ? text : undefined),
}

const kindOf = kindFinder({
  bounce: 'failed',
  complaint: 'complained',
  unsubscribe: 'unsubscribed',
  progress: 'accepted delivered opened clicked',
})

function readEvent(data: unknown): ProviderEvent {
  const kind = kindOf(textAt(data, 'event'))
  const messageId = textAt(data, 'message', 'headers', 'message-id')
  const recipient = textAt(data, 'recipient')
  return {
    id: textAt(data, 'id') || idOf(textAt(data, 'event'), recipient, messageId, textAt(data, 'timestamp')),
    kind,
    recipient,
    seals: sealsIn(textAt(data, 'user-variables', 'depeche'), messageId),
    ...(kind === 'bounce' && judge(data)),
  }
}

const verdicts: Record<string, string> = { old: '5.4.7', espblock: '5.7.1' }

function judge(data: unknown): Partial<ProviderEvent> {
  if (textAt(data, 'severity') !== 'permanent') return { kind: 'delay' }
  const reason = textAt(data, 'reason')
  const code = textAt(data, 'delivery-status', 'code')
  if (reason === 'suppress-complaint' || code === '607') return { kind: 'complaint' }
  if (reason === 'suppress-unsubscribe' || code === '606') return { kind: 'unsubscribe' }
  if (reason === 'suppress-bounce' || code === '605') return { diagnosis: keptBack }
  const said = textAt(data, 'delivery-status', 'message') || textAt(data, 'delivery-status', 'description')
  const verdict = entryOf(verdicts, code === '602' ? 'old' : reason) ?? '5.0.0'
  return {
    diagnosis: diagnose(said, verdict, { status: textAt(data, 'delivery-status', 'enhanced-code'), code }),
  }
}
