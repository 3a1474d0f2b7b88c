import { expect } from 'vitest'
import { splitMessage } from '../../src/mail/message/canonical.ts'
import { aFrozenDigest } from './frozen-digest.ts'
import { aMail, aPublication, aRecipient } from './mail.ts'

export const mail = aMail()
export const reference = { kind: 'digest', digestId: 42, subscriberId: 7 } as const

export async function aDigestMessage(overrides: Parameters<typeof aFrozenDigest>[0] = {}, from = mail) {
  const parts = await from.composeDigest(aFrozenDigest(overrides))
  const recipient = aRecipient({
    messageId: from.messageId(reference),
    unsubscribeMailto: from.unsubscribeMailto(reference),
  })
  return Buffer.concat(from.personalise(from.assembleVariant(parts), recipient))
}

export async function anActivationMessage(language: string, name?: string) {
  const publication = aPublication(name === undefined ? {} : { name, postalAddress: name })
  const composed = await mail.composePersonal(
    {
      kind: 'activation',
      newsletters: (name === undefined ? ['Le Matin', 'الصباح'] : [name]).map((each) => ({
        ...{ name: each, description: name ?? 'La ville, chaque matin.' },
        next: new Date('2026-11-24T06:00:00Z'),
      })),
      address: 'reader@reader.example',
      activateUrl: 'https://news.example.org/activate/abc',
      refuseUrl: 'https://news.example.org/activate/abc',
      expiresAt: new Date('2026-11-30T06:00:00Z'),
    },
    publication,
    language,
  )
  return Buffer.concat(
    mail.personalMessage(composed, {
      to: 'reader@reader.example',
      kind: 'activation',
      reference: { kind: 'outbox', outboxId: 3 },
      publication,
    }),
  )
}

/** Header lines as they are on the wire, folded ones joined with their line breaks kept. */
export function headersOf(message: Buffer): [name: string, value: string][] {
  return splitMessage([message])
    .header.toString('latin1')
    .split(/\r\n(?![ \t])/)
    .filter(Boolean)
    .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])
}

export const valuesOf = (message: Buffer, name: string) =>
  headersOf(message)
    .filter(([each]) => each === name)
    .map(([, value]) => value)

export const decodeWords = (value: string): string =>
  value.replace(/=\?UTF-8\?B\?(.*?)\?=/g, (_, word: string) => Buffer.from(word, 'base64').toString())

export function expectCleanBytes(message: Buffer) {
  const text = message.toString('latin1')
  expect(text).toMatch(/^[\x20-\x7e\r\n\t]*$/)
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  const { header, body } = splitMessage([message])
  for (const line of header.toString('latin1').split('\r\n')) {
    // One-click needs its line whole, and there is nowhere to fold the others.
    expect(line.length).toBeLessThanOrEqual(/^(List-|Message-ID:)/.test(line) ? 998 : 78)
    // RFC 2047, 2
    if (line.includes('=?')) expect(line.length).toBeLessThanOrEqual(76)
  }
  for (const line of Buffer.concat(body).toString('latin1').split('\r\n'))
    expect(line.length).toBeLessThanOrEqual(76)
}
