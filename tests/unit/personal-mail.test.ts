import { expect, test } from 'vitest'
import type { DeskNotice } from '../../src/domain/notice.ts'
import { aMail, aPublication } from '../support/mail.ts'

const title = 'Le port rouvre : « Enfin ! »'

const aNotice = (notice: DeskNotice, values: Record<string, string | number>, language: string) =>
  aMail().composePersonal(
    { kind: 'desk-notice', notice, values, url: 'https://news.example.org/desk' },
    aPublication(),
    language,
  )

test.each([
  ['fr', 0, 'au moins 0.'],
  ['fr', 1_204, 'au moins 1\u202f204.'],
  ['en', 1_204, 'at least 1,204.'],
  ['ar', 12, '12 على الأقل'],
])('a withdrawal on the way is told with what is sure: %s, %i', async (language, count, sentence) => {
  const { text } = await aNotice('article_withdrawn', { digest: '#4', article: title, count }, language)
  expect(text.replaceAll(/\s*\n\s*/g, ' ')).toContain(sentence)
})

test.each([
  ['fr', 1, 'Pour 1 abonné,'],
  ['fr', 1_204, 'Pour 1\u202f204 abonnés,'],
  ['en', 1, 'For one subscriber'],
  ['ar', 1, 'مشترك واحد'],
  ['ar', 12, '12 مشتركًا'],
])('a notice counts as people do: %s, %i', async (language, count, sentence) => {
  const { text } = await aNotice('digest_uncertain', { digest: title, count }, language)
  expect(text).toContain(sentence)
})

test('a rate in a notice has the decimal sign of its language', async () => {
  const rate = async (language: string) =>
    (await aNotice('complaints_high', { percent: 0.12 }, language)).text
  expect(await rate('fr')).toMatch(/0,12\s%/)
  expect(await rate('ar')).toContain('0,12%')
  expect(await rate('en')).toContain('0.12%')
})

test('a French title in an Arabic notice keeps to itself, in the subject too; nowhere else are there marks', async () => {
  const arabic = await aNotice('digest_paused', { digest: title }, 'ar')
  expect(arabic.subject).toContain(`\u2068${title}\u2069`)
  expect(arabic.text).toContain('«\u2068Le port rouvre : “Enfin !”\u2069»')
  const withdrawn = await aNotice('article_withdrawn', { digest: '#12', article: title, count: 3 }, 'ar')
  expect(withdrawn.subject).toContain('\u2068#12\u2069')
  const french = await aNotice('digest_paused', { digest: title }, 'fr')
  expect(french.subject + french.text).not.toMatch(/[\u2066-\u2069]/)
})

test.each([
  ['fr', '«\u00a0Hebdo\u00a0» s’arrête', 'dernier e-mail'],
  ['ar', 'توقّف نشرة «\u2068Hebdo\u2069»', 'آخر رسالة'],
  ['en', '“Hebdo” has ended', 'last e-mail'],
])('the end of a newsletter is told with its archive: %s', async (language, subject, last) => {
  const archiveUrl = 'https://news.example.org/newsletters/hebdo'
  const mail = await aMail().composePersonal(
    { kind: 'newsletter-ended', newsletter: 'Hebdo', archiveUrl },
    aPublication(),
    language,
  )
  expect(mail.subject).toBe(subject)
  expect(mail.text).toContain(last)
  expect(mail.text).toContain(archiveUrl)
  expect(mail.html).toContain(`href="${archiveUrl}"`)
})

test('an invitation, for which nobody asks, does not tell whoever did not ask to ignore it', async () => {
  const link = { signInUrl: 'https://news.example.org/desk/sign-in/x', expiresAt: new Date() }
  const textOf = async (kind: 'sign-in' | 'invitation') =>
    (await aMail().composePersonal({ kind, ...link }, aPublication(), 'fr')).text.replaceAll(/\s*\n\s*/g, ' ')
  expect(await textOf('sign-in')).toContain('Si vous n’avez rien demandé')
  expect(await textOf('invitation')).toContain('Si cette invitation ne vous dit rien')
})
