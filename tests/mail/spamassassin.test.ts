import { expect, test } from 'vitest'
import { createSigner } from '../../src/mail/message/sign.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aPublication, aRecipient, dkimKeys } from '../support/mail.ts'
import { runProgram } from '../support/programs.ts'

const mail = aMail()
const signer = createSigner(dkimKeys())

/** SpamAssassin's score with its static rules alone. @throws Error when it gave none */
function scoreOf(message: Buffer): { score: number; report: string } {
  const output = runProgram('spamassassin', ['-L', '-t'], message)
  const report = output.slice(output.indexOf('Content analysis details'))
  const [, score] = /\((-?[\d.]+) points, [\d.]+ required\)/.exec(report) ?? []
  if (score === undefined) throw new Error('SpamAssassin gave no score')
  return { score: Number(score), report }
}

const sign = async (message: Buffer[]) => Buffer.concat(await signer.sign(message))

test.each(['fr', 'ar', 'en'] as const)('TPL-6 every template in %s scores at most 1.0', async (language) => {
  const messages: [string, Buffer[]][] = []
  for (const template of ['digest', 'brief'] as const) {
    const parts = await mail.composeDigest(aFrozenDigest({ language, template }))
    messages.push([template, mail.personalise(mail.assembleVariant(parts), aRecipient())])
  }
  const expiresAt = new Date('2026-11-30T06:00:00Z')
  const url = 'https://news.example.org/activate/abc'
  for (const content of [
    { kind: 'activation', newsletters: ['Le Matin'], activateUrl: url, refuseUrl: url, expiresAt },
    { kind: 'reminder', newsletters: ['Le Matin'], activateUrl: url, refuseUrl: url, expiresAt },
    { kind: 'already-subscribed', newsletters: ['Le Matin'], preferencesUrl: url },
    { kind: 'preferences-link', preferencesUrl: url },
    { kind: 'address-change', activateUrl: url, expiresAt },
    { kind: 'address-changed' },
    { kind: 'sign-in', signInUrl: url, expiresAt },
    { kind: 'desk-notice', notice: 'generic', url },
  ] as const) {
    const composed = await mail.composePersonal(content as never, aPublication(), language)
    const reference = { kind: 'outbox', outboxId: 1 } as const
    const envelope = {
      to: 'reader@reader.example',
      kind: content.kind,
      reference,
      publication: aPublication(),
    }
    messages.push([content.kind, mail.personalMessage(composed, envelope)])
  }
  for (const [name, message] of messages) {
    const { score, report } = scoreOf(await sign(message))
    expect(score, `${name}\n${report}`).toBeLessThanOrEqual(1)
  }
})
