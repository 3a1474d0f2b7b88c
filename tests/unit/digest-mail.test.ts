import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import { splitMessage } from '../../src/mail/message/canonical.ts'
import { composeDigest } from '../../src/mail/compose/compose.ts'
import { quotedPrintable } from '../../src/mail/message/encoding.ts'
import { gapMark } from '../../src/mail/message/message.ts'
import { loadTemplates, type TemplateData } from '../../src/mail/compose/templates.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aRecipient } from '../support/mail.ts'
import { aDigestMessage, anActivationMessage, expectCleanBytes, mail } from '../support/written-mail.ts'

test('TPL-8 Japanese and emoji: whole characters on every line, folded headers, the same text in both parts', async () => {
  const title = '港に路面電車が来る 👩‍👩‍👧 🏴‍☠️ '.repeat(6).trim()
  const summary = '二年間の工事を経て、二号線は駅と漁師の埠頭を十一分で結びます。'.repeat(4)
  const frozen = aFrozenDigest({ language: 'en' })
  const [first, ...others] = frozen.articles
  if (!first) throw new Error('a digest has articles')
  const message = await aDigestMessage({
    language: 'en',
    subject: title,
    newsletter: { ...frozen.newsletter, name: '朝の便り 🌊' },
    articles: [{ ...first, title, summary }, ...others],
  })
  expectCleanBytes(message)
  // Each line, decoded alone, holds no half of a character.
  const decodeLine = (line: string) =>
    Buffer.from(
      line
        .replace(/=$/, '')
        .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
      'latin1',
    )
  for (const line of Buffer.concat(splitMessage([message]).body)
    .toString('latin1')
    .split('\r\n'))
    expect(decodeLine(line).toString('utf8')).not.toContain('\ufffd')
  const read = await simpleParser(message)
  expect(read.subject).toBe(title)
  expect(read.from?.text).toContain('朝の便り 🌊')
  for (const part of [read.text, read.html]) expect(part).toContain(summary)
  await expect(message.toString('latin1')).toMatchFileSnapshot('../fixtures/mail/digest-ja.eml')
})

test('TPL-8 Hebrew runs from right to left like Arabic, though the desk does not speak it', async () => {
  const title = 'החשמלית תגיע לנמל לפני הקיץ 🚋 (קו 2)'
  const frozen = aFrozenDigest({ language: 'en' })
  const [first, ...others] = frozen.articles
  if (!first) throw new Error('a digest has articles')
  const message = await aDigestMessage({
    language: 'en',
    subject: title,
    newsletter: { ...frozen.newsletter, name: 'הבוקר', language: 'he' },
    articles: [{ ...first, title }, ...others],
  })
  expectCleanBytes(message)
  const read = await simpleParser(message)
  expect(read.html).toMatch(/^<!doctype html><html lang="he" dir="rtl"/)
  expect([read.subject, read.from?.value[0]?.name]).toEqual([title, 'הבוקר'])
  for (const part of [read.text, read.html]) expect(part).toContain(title)
})

/** In Arabic, of which each letter is six characters of quoted-printable. */
function aLongDigest(count: number, titleOf: (index: number) => string) {
  const base = aFrozenDigest({ language: 'ar' })
  const articles = Array.from({ length: count }, (_, index) => ({
    ...base.articles[index % 3],
    id: index + 1,
    title: titleOf(index),
    summary: 'ملخّص الخبر. '.repeat(40),
    url: `https://news.example.org/articles/n-${index}`,
  })) as typeof base.articles
  const blocks = [{ kind: 'articles' as const, title: '', articleIds: articles.map(({ id }) => id) }]
  return { ...base, articles, blocks }
}

function expectToFit({ html }: { html: string }) {
  expect(Buffer.byteLength(html)).toBeLessThan(100_000)
  expect(quotedPrintable(html).length).toBeLessThan(100_000)
}

test('TPL-3 a digest that would be clipped is shortened, then cut with a way to the rest', async () => {
  // Fewer words first: every article stays.
  const shorter = await mail.composeDigest(aLongDigest(20, (index) => `عنوان ${index}`))
  expect(shorter).toMatchObject({ isShortened: true, isLarge: shorter.size >= 80_000 })
  expectToFit(mail.previewVariant(shorter))
  expect(mail.previewVariant(shorter).text.match(/\/articles\/n-/g)).toHaveLength(20)
  const bare = await mail.composeDigest(aLongDigest(24, (index) => `${index} ${'عنوان طويل '.repeat(8)}`))
  expectToFit(mail.previewVariant(bare))
  expect(mail.previewVariant(bare).text.match(/\/articles\/n-/g)).toHaveLength(24)
  expect(mail.previewVariant(bare).text).not.toContain('ملخّص')
  // Then fewer articles, and all that are left out are counted.
  const cut = await mail.composeDigest(aLongDigest(60, (index) => `${index} ${'عنوان طويل '.repeat(8)}`))
  expectToFit(mail.previewVariant(cut))
  const { text } = mail.previewVariant(cut)
  const shown = text.match(/\/articles\/n-/g)?.length ?? 0
  expect(shown).toBeGreaterThan(0)
  expect(text).toContain(new Intl.NumberFormat('ar-DZ').format(60 - shown + 7))
})

test('TPL-3 a variant of the longest articles alone is cut as well', async () => {
  const long = 'عنوان طويل جدا '.repeat(30)
  const parts = await mail.composeDigest(
    aLongDigest(60, (index) => (index < 30 ? 'قصير' : `${index} ${long}`)),
  )
  const ids = Array.from({ length: 30 }, (_, index) => index + 31)
  expectToFit(mail.previewVariant(parts, ids))
})

test('TPL-5 a template that leaves out a headline or a link stops the digest, in either part', async () => {
  const templates = await loadTemplates()
  const { ltr } = templates.digest
  const frozen = aFrozenDigest()
  const { title = '', url = '' } = frozen.articles[1] ?? {}
  for (const lost of [title, url, gapMark('unsubscribeUrl'), gapMark('preferencesUrl')]) {
    const without = (text: string) => text.replaceAll(lost, '')
    for (const broken of [
      { ...ltr, html: (data: TemplateData) => without(ltr.html(data)) },
      { ...ltr, text: (data: TemplateData) => without(ltr.text(data)) },
    ]) {
      const digest = { ...templates.digest, ltr: broken }
      expect(() => composeDigest(frozen, { ...templates, digest }), lost).toThrow('leaves out')
    }
  }
})

test('TPL-3 the desk is warned from 80,000 bytes, and what cannot fit is refused', async () => {
  const { frozen, ...small } = await mail.composeDigest(aFrozenDigest())
  expect(small).toMatchObject({ isLarge: false, isShortened: false })
  const padded = async (letters: number) =>
    mail.composeDigest({ ...frozen, intro: 'x'.repeat(Math.floor(letters / 1.04)) })
  expect(await padded(79_000 - small.size)).toMatchObject({ isLarge: false, isShortened: false })
  expect(await padded(83_000 - small.size)).toMatchObject({ isLarge: true, isShortened: false })
  await expect(padded(130_000)).rejects.toMatchObject({ code: 'digest_too_large' })
})

test('a variant keeps its articles alone, leads with its first, and drops empty headings', async () => {
  const parts = await mail.composeDigest(aFrozenDigest())
  const { text, html } = mail.previewVariant(parts, [3, 4])
  expect(text).not.toContain('Le tramway arrivera')
  expect(text).toContain('marché couvert')
  expect(html).toContain('width="576"')
  const culture = mail.previewVariant(parts, [4])
  expect(culture.text).not.toContain('== Évènement ==')
})

test('the web version has every article and nobody’s links', async () => {
  const parts = await mail.composeDigest(aFrozenDigest())
  const html = mail.renderWeb(parts)
  for (const { url } of aFrozenDigest().articles) expect(html).toContain(url)
  expect(html).not.toMatch(/\/unsubscribe\/|\ufdd0/)
  // It does not offer to be read online, but leads to the newspaper and to this newsletter's signup.
  expect(html).not.toContain('Lire en ligne')
  expect(html).toContain('href="https://news.example.org/"')
  expect(html).toContain('href="https://news.example.org/subscribe?newsletters=')
})

const urlsIn = (html: string, attribute: string): string[] =>
  Array.from(
    html.matchAll(new RegExp(`\\s${attribute}\\s*=\\s*["']?([^"'\\s>]*)`, 'g')),
    ([, url = '']) => url,
  )

test.each(['digest', 'brief', 'alert', 'activation'] as const)(
  'TPL-2 TPL-9 no host but ours is asked for anything, and nothing is counted: %s',
  async (kind) => {
    const frozen = aFrozenDigest({
      template: kind === 'brief' ? 'brief' : 'digest',
      cadence: kind === 'alert' ? 'alert' : 'daily',
    })
    const message = kind === 'activation' ? await anActivationMessage('fr') : await aDigestMessage(frozen)
    const { html, text = '' } = await simpleParser(message)
    const page = String(html)
    const site = 'https://news.example.org'
    const known = [
      ...[...frozen.articles, ...frozen.mostRead, ...frozen.blocks].map(({ url }) => url ?? site),
      ...['/', '/digests/42', '/newsletters/le-matin', '/activate/abc'].map((path) => site + path),
      ...[aRecipient().unsubscribeUrl, aRecipient().preferencesUrl, frozen.more?.url],
    ]
    // To each article by its own address: no counter stands between, and no address tells who followed it.
    for (const url of urlsIn(page, 'href')) expect(known).toContain(url)
    for (const [url] of text.matchAll(/https?:\S+/g)) expect(known).toContain(url)
    const pictures = frozen.articles.map(({ picture }) => picture?.url)
    for (const url of urlsIn(page, 'src')) expect(pictures).toContain(url)
    for (const attribute of ['srcset', 'background', 'action', 'data', 'poster'])
      expect(urlsIn(page, attribute)).toEqual([])
    expect(page).not.toMatch(/@import|url\(|<link|<script|<iframe|<object/)
  },
)

test('TPL-9 two readers of one variant get the same mail but for their address and their own links', async () => {
  const skeleton = mail.assembleVariant(await mail.composeDigest(aFrozenDigest()))
  const readers = ['one', 'two'].map((name) =>
    aRecipient({
      to: `${name}@reader.example`,
      messageId: `<${name}@news.example.org>`,
      unsubscribeUrl: `https://news.example.org/unsubscribe/${name}`,
      preferencesUrl: `https://news.example.org/preferences/${name}`,
    }),
  )
  const [one = '', two] = readers.map((reader) =>
    Buffer.concat(mail.personalise(skeleton, reader)).toString('latin1'),
  )
  expect(one).not.toBe(two)
  expect(one.replace(/(unsubscribe\/|preferences\/|To: |Message-ID: <)one/g, '$1two')).toBe(two)
})
