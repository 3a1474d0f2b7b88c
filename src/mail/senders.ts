import { domainToASCII } from 'node:url'
import { domainOf, isMailbox } from '../domain/subscribers/address.ts'
import type { Mailbox } from './message/message.ts'
import { singleLine } from './compose/plain-text.ts'

/**
 * Reads `Name <address>` or an address.
 * @throws Error when it is not exactly one plain mailbox
 */
export function readMailbox(value: string): Mailbox {
  const mailbox = findMailbox(value)
  if (!mailbox) {
    throw new Error('must be one address, or a name and one address: Le Matin <lettres@news.example>')
  }
  return mailbox
}

function findMailbox(value: string): Mailbox | undefined {
  const [, name = '', bracketed] = /^(.*)<([^<>]*)>\s*$/s.exec(value) ?? []
  const typed = (bracketed ?? value).trim()
  const domainAt = typed.lastIndexOf('@') + 1
  const address = typed.slice(0, domainAt) + domainToASCII(typed.slice(domainAt))
  // It stands in all mails, and most go by servers without SMTPUTF8.
  if (!isMailbox(address) || /[^!-~]/.test(address)) return undefined
  const unquoted = singleLine(name).replace(/^"(.*)"$/, (_, quoted: string) => quoted.replace(/\\(.)/g, '$1'))
  return { name: unquoted, address }
}

export type SenderFault = 'malformed' | 'unaligned'

/** @param signingDomain undefined where mail is not signed: then nothing speaks for any domain */
export function findSenderFault(from: string, signingDomain: string | undefined): SenderFault | undefined {
  const mailbox = findMailbox(from)
  if (!mailbox) return 'malformed'
  if (signingDomain === undefined) return undefined
  const isAligned = lastLabelsOf(domainOf(mailbox.address)) === lastLabelsOf(signingDomain.toLowerCase())
  return isAligned ? undefined : 'unaligned'
}

/**
 * DMARC asks for one organisation, not for one name. Names that differ in their last two labels are never one; what
 * the others are, the DNS has to say, which `depeche doctor` asks.
 */
const lastLabelsOf = (domain: string): string => domain.split('.').slice(-2).join('.')

/** Senders for an installation: MAIL_FROM, else an address at the host of its public URL. */
export function createSenders(options: { mailFrom: string | undefined; publicUrl: string }) {
  const host = new URL(options.publicUrl).hostname.replace(/^\[|\]$/g, '')
  const standard = readMailbox(options.mailFrom ?? `newsletters@${host.includes(':') ? 'localhost' : host}`)
  const domain = domainOf(standard.address)
  const local = standard.address.startsWith('subscriptions@') ? 'confirmations' : 'subscriptions'
  return {
    digest({ name, from }: { name: string; from?: string | null | undefined }): Mailbox {
      const mailbox = from ? readMailbox(from) : standard
      return { address: mailbox.address, name: mailbox.name || singleLine(name) }
    },
    /** Another address than digests have, so that what readers do to one never hurts the other. */
    personal: (publicationName: string): Mailbox => ({
      name: singleLine(publicationName),
      address: `${local}@${domain}`,
    }),
  }
}
