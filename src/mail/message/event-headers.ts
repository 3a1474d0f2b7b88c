import type { ProviderName } from '../../domain/deliverability/provider-event.ts'

/** Around our seal: what a provider takes from the message and hands back with every event. */
const forms: Partial<Record<ProviderName, [before: string, after: string]>> = {
  ses: ['X-SES-MESSAGE-TAGS: depeche=', ''],
  mailgun: ['X-Mailgun-Variables: {"depeche":"', '"}'],
  sendgrid: ['X-SMTPAPI: {"unique_args":{"depeche":"', '"}}'],
  postmark: ['X-PM-Metadata-depeche: ', ''],
  brevo: ['X-Mailin-custom: depeche:', ''],
}

/**
 * Header lines for the providers in use, not covered by our signature, for providers take them out. They hold the
 * seal of the Message-ID again, which some replace.
 */
export const eventHeaders = <Gap>(providers: readonly ProviderName[], seal: Gap): (string | Gap)[] =>
  providers.flatMap((name) => {
    const form = forms[name]
    return form ? [form[0], seal, `${form[1]}\r\n`] : []
  })

/** Tags of SES hold no dot. */
export const eventSeal = (messageId: string): string =>
  (messageId.split('@')[0] ?? '').replace('<', '').replace('.', '-')
