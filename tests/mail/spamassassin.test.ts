import { expect, test } from 'vitest'
import { deskNotices } from '../../src/domain/notice.ts'
import type { PersonalContent } from '../../src/mail/compose/personal.ts'
import { createSigner } from '../../src/mail/message/sign.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aPublication, aRecipient, dkimKeys } from '../support/mail.ts'
import { runProgram } from '../support/programs.ts'

const mail = aMail()
const signer = createSigner(dkimKeys())

/** SpamAssassin's score of each by its static rules alone; all in one process, for its start is the slow part. */
function scoresOf(messages: Buffer[]): { score: number; report: string }[] {
  const mailbox = messages.flatMap((message) => [
    Buffer.from('From us@news.example.org Thu Jan  1 00:00:00 2026\n'),
    message,
    Buffer.from('\n\n'),
  ])
  const [, ...reports] = runProgram('spamassassin', ['-L', '-t', '--mbox'], Buffer.concat(mailbox)).split(
    'Content analysis details',
  )
  return reports.map((report) => ({
    score: Number(/\((-?[\d.]+) points, [\d.]+ required\)/.exec(report)?.[1]),
    report,
  }))
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
  const values = {
    digest: 'Le Matin',
    article: 'Le bac',
    answer: '451 4.7.1 Try later',
    domain: 'mail.example',
    count: 12,
    before: 30,
    source: 'Journal Essai',
    percent: 4,
  }
  const offer = { name: 'Le Matin', description: 'La ville, chaque matin.', next: expiresAt }
  const asked = {
    newsletters: [offer],
    address: 'reader@reader.example',
    activateUrl: url,
    refuseUrl: url,
    expiresAt,
  }
  const contents: PersonalContent[] = [
    { kind: 'activation', ...asked },
    { kind: 'reminder', ...asked },
    { kind: 'already-subscribed', newsletters: ['Le Matin'], preferencesUrl: url },
    { kind: 'preferences-link', preferencesUrl: url },
    { kind: 'address-change', activateUrl: url, expiresAt },
    { kind: 'address-changed' },
    { kind: 'sign-in', signInUrl: url, expiresAt },
    ...deskNotices.map((notice) => ({ kind: 'desk-notice', notice, values, url }) as const),
  ]
  for (const content of contents) {
    const composed = await mail.composePersonal(content, aPublication(), language)
    const reference = { kind: 'outbox', outboxId: 1 } as const
    const envelope = {
      to: 'reader@reader.example',
      kind: content.kind,
      reference,
      publication: aPublication(),
    }
    messages.push([content.kind, mail.personalMessage(composed, envelope)])
  }
  const scores = scoresOf(await Promise.all(messages.map(([, message]) => sign(message))))
  expect(scores).toHaveLength(messages.length)
  for (const [index, { score, report }] of scores.entries())
    expect(score, `${messages[index]?.[0]}\n${report}`).toBeLessThanOrEqual(1)
})
