import { z } from 'zod'
import { deliveryStates } from '../../domain/delivery/delivery.ts'

const count = z.int().min(0)
const outcome = {
  accepted: count,
  rejected: count.describe('Refused while it was sent'),
  returned: count.describe('Came back afterwards'),
  complaints: count,
  joined: count.describe('New readers of the newsletter'),
  left: count.describe('Readers who left the newsletter'),
}
const digestReport = z.object({
  id: z.int(),
  subject: z.string(),
  startedAt: z.iso.datetime(),
  ...outcome,
})
const domainResult = z.object({ domain: z.string(), state: z.enum(deliveryStates), n: count })
export const oneDigestReport = digestReport.extend({
  domains: z.array(domainResult).nullable().describe('Once its deliveries are no longer kept one by one'),
})
export const newsletterReport = z.object({
  newsletter: z.string(),
  zone: z.string(),
  totals: z.object(outcome),
  days: z.array(z.object({ date: z.iso.date(), ...outcome })).describe('Oldest first'),
  digests: z.array(digestReport).describe('Newest first; `joined` and `left` until the next began'),
})
