import { generateKeyPairSync } from 'node:crypto'
import type { PublicationIn } from '../../src/domain/publication.ts'
import { createKeyring } from '../../src/domain/keyring.ts'
import { createMail, type Mail, type MailOptions, type Recipient } from '../../src/mail/mail.ts'
import type { DkimKeys } from '../../src/mail/message/sign.ts'

export const keyring = createKeyring(['a key for tests, of at least thirty-two characters'])

export const aMail = (overrides: Partial<MailOptions> = {}): Mail =>
  createMail({
    publicUrl: 'https://news.example.org',
    mailFrom: 'lettres@news.example.org',
    mailReplyTo: 'redaction@news.example.org',
    bounceDomain: 'bounces.news.example.org',
    inboundPort: 2525,
    dkim: undefined,
    keyring,
    now: () => new Date('2026-11-23T06:00:00Z'),
    ...overrides,
  })

export const aRecipient = (overrides: Partial<Recipient> = {}): Recipient => ({
  to: 'reader@reader.example',
  messageId: '<1.abc@news.example.org>',
  date: new Date('2026-11-23T06:00:00Z'),
  unsubscribeUrl: 'https://news.example.org/unsubscribe/7.42.9f2c1a3b.mVx0m2cQ1m0kQ3p4r5s6tg',
  preferencesUrl: 'https://news.example.org/preferences/7.9f2c1a3b.kQ3p4r5s6tgmVx0m2cQ1m0',
  ...overrides,
})

export const aPublication = (overrides: Partial<PublicationIn> = {}): PublicationIn => ({
  name: 'La Gazette du Littoral',
  description: '',
  languages: ['fr', 'ar'],
  zone: 'Africa/Algiers',
  locales: {},
  deskName: 'La rédaction',
  postalAddress: '12, rue du Port\n16000 Port-Sablon',
  contactEmail: 'contact@news.example.org',
  policyUrl: null,
  responses: 'off',
  trackbacks: 'off',
  policyVersion: '1',
  ambiguousPolicy: 'resend_once',
  links: 'here',
  feedText: null,
  accent: null,
  logo: null,
  logoDark: null,
  icon: null,
  footer: null,
  contacts: [],
  legalLinks: [],
  ...overrides,
})

const pem = { type: 'pkcs8', format: 'pem' } as const

/** Fresh keys for both algorithms. */
export const dkimKeys = (bits = 2048): DkimKeys => ({
  domain: 'news.example.org',
  selector: 'r1',
  privateKey: generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export(pem).toString(),
  ed25519: { selector: 'e1', privateKey: generateKeyPairSync('ed25519').privateKey.export(pem).toString() },
})
