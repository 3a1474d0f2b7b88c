import { z } from 'zod'
import type { ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import { diagnose, idOf, kindFinder, sealsIn, type Provider } from './provider.ts'

const text = (max: number) => z.string().max(max).optional()

/** Our own form, for whatever relay a newsroom has; docs/operations-mail.md explains it. */
const genericEvent = z.object({
  event: z.string().max(50),
  id: text(300),
  recipient: z.string().max(320).default(''),
  messageId: text(998),
  relayId: text(300),
  permanent: z.boolean().default(true),
  status: text(20),
  code: z.int().min(400).max(599).optional(),
  text: text(10_000),
})
const posting = z.union([z.array(genericEvent).max(1_000), genericEvent.transform((one) => [one])])

/** @throws ZodError for what is not of our form: its author can mend it */
export const generic: Provider = {
  read: ({ json }) => ({ events: posting.parse(json).map(readEvent) }),
}

const kindOf = kindFinder({
  bounce: 'bounce',
  complaint: 'complaint',
  unsubscribe: 'unsubscribe',
  delay: 'delay',
  progress: 'delivered opened clicked',
})

function readEvent(json: z.infer<typeof genericEvent>): ProviderEvent {
  const { event, recipient, messageId = '', relayId, text: said = '' } = json
  const kind = kindOf(event)
  return {
    id: json.id ?? idOf(event, recipient, messageId, relayId ?? '', json.status ?? '', said),
    kind,
    recipient,
    seals: sealsIn(messageId),
    relayId,
    ...(kind === 'bounce' && {
      diagnosis: diagnose(said, json.permanent ? '5.0.0' : '4.0.0', {
        status: json.status ?? '',
        code: String(json.code ?? ''),
      }),
    }),
  }
}
