import type { ProviderName } from '../../domain/deliverability/provider-event.ts'
import { brevo } from './brevo.ts'
import { generic } from './generic.ts'
import { mailgun } from './mailgun.ts'
import { postmark } from './postmark.ts'
import type { Provider } from './provider.ts'
import { sendgrid } from './sendgrid.ts'
import { createSes } from './ses.ts'

export type { Posting, Provider } from './provider.ts'

/** Everyone whose events are read. */
export type Providers = Record<ProviderName, Provider>

export const createProviders = (): Providers => ({
  ses: createSes(),
  mailgun,
  sendgrid,
  postmark,
  brevo,
  generic,
})
