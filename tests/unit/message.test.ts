import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { splitMessage } from '../../src/mail/canonical.ts'
import { quotedPrintable } from '../../src/mail/encoding.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aPublication, aRecipient } from '../support/mail.ts'

const mail = aMail()
const reference = { kind: 'digest', digestId: 42, subscriberId: 7 } as const

async function aDigestMessage(overrides: Parameters<typeof aFrozenDigest>[0] = {}, from = mail) {
  const parts = await from.composeDigest(aFrozenDigest(overrides))
  const recipient = aRecipient({
    messageId: from.messageId(reference),
    unsubscribeMailto: from.unsubscribeMailto(reference),
  })
  return Buffer.concat(from.personalise(from.assembleVariant(parts), recipient))
}

async function anActivationMessage(language: string) {
  const composed = await mail.composePersonal(
    {
      kind: 'activation',
      newsletters: ['Le Matin', 'الصباح'],
      activateUrl: 'https://news.example.org/activate/abc',
      refuseUrl: 'https://news.example.org/activate/abc',
      expiresAt: new Date('2026-11-30T06:00:00Z'),
    },
    aPublication(),
    language,
  )
  return Buffer.concat(
    mail.personalMessage(composed, {
      to: 'reader@reader.example',
      kind: 'activation',
      reference: { kind: 'outbox', outboxId: 3 },
      publication: aPublication(),
    }),
  )
}

/** Header lines as they are on the wire, folded ones joined with their line breaks kept. */
function headersOf(message: Buffer): [name: string, value: string][] {
  return splitMessage([message])
    .header.toString('latin1')
    .split(/\r\n(?![ \t])/)
    .filter(Boolean)
    .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])
}

const valuesOf = (message: Buffer, name: string) =>
  headersOf(message)
    .filter(([each]) => each === name)
    .map(([, value]) => value)

function expectCleanBytes(message: Buffer) {
  const text = message.toString('latin1')
  expect(text).toMatch(/^[\x20-\x7e\r\n\t]*$/)
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  const { header, body } = splitMessage([message])
  for (const line of header.toString('latin1').split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(998)
    // RFC 2047, 2
    if (line.includes('=?')) expect(line.length).toBeLessThanOrEqual(76)
  }
  for (const line of Buffer.concat(body).toString('latin1').split('\r\n'))
    expect(line.length).toBeLessThanOrEqual(76)
}

describe.each(['fr', 'ar', 'en'] as const)('a digest in %s', (language) => {
  test('HDR-1 has each header exactly once, and none that gives something away', async () => {
    const message = await aDigestMessage({ language })
    const names = headersOf(message).map(([name]) => name)
    expect([...names].sort()).toEqual([
      'content-type',
      'date',
      'feedback-id',
      'from',
      'list-archive',
      'list-help',
      'list-id',
      'list-post',
      'list-unsubscribe',
      'list-unsubscribe-post',
      'message-id',
      'mime-version',
      'precedence',
      'reply-to',
      'subject',
      'to',
    ])
  })

  test('is, byte for byte, the golden mail', async () => {
    const golden = (name: string) => `../fixtures/mail/${name}-${language}.eml`
    await expect((await aDigestMessage({ language })).toString('latin1')).toMatchFileSnapshot(
      golden('digest'),
    )
    const brief = await aDigestMessage({ language, template: 'brief' })
    await expect(brief.toString('latin1')).toMatchFileSnapshot(golden('brief'))
    await expect((await anActivationMessage(language)).toString('latin1')).toMatchFileSnapshot(
      golden('activation'),
    )
  })

  test('HDR-2…9 say who writes to whom, about which list, and how to leave', async () => {
    const message = await aDigestMessage({ language })
    const slug = { fr: 'le-matin', ar: 'as-sabah', en: 'morning' }[language]
    expect(valuesOf(message, 'from')[0]).toMatch(/<lettres@news\.example\.org>$/)
    expect(valuesOf(message, 'to')).toEqual(['reader@reader.example'])
    expect(valuesOf(message, 'message-id')[0]).toMatch(/^<[a-z2-7]+\.[a-z2-7]{13}@news\.example\.org>$/)
    expect(valuesOf(message, 'list-id')[0]).toContain(`<${slug}.lists.news.example.org>`)
    expect(valuesOf(message, 'list-unsubscribe')[0]).toMatch(
      /^<https:\/\/news\.example\.org\/unsubscribe\/\S+>, <mailto:u\+[a-z2-7.]+@bounces\.news\.example\.org\?subject=unsubscribe>$/,
    )
    expect(valuesOf(message, 'list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click'])
    expect(valuesOf(message, 'list-archive')).toEqual([`<https://news.example.org/newsletters/${slug}>`])
    expect(valuesOf(message, 'list-help')).toEqual(['<https://news.example.org/preferences>'])
    expect(valuesOf(message, 'list-post')).toEqual(['NO'])
    expect(valuesOf(message, 'precedence')).toEqual(['bulk'])
    expect(valuesOf(message, 'feedback-id')).toEqual([`42:${slug}:daily:newsexampleorg`])
  })

  test('HDR-11 is ASCII, CRLF, folded, and quoted-printable within 76', async () => {
    expectCleanBytes(await aDigestMessage({ language }))
  })

  test('TPL-5 reads back as it was written, text first', async () => {
    const message = await aDigestMessage({ language })
    const frozen = aFrozenDigest({ language })
    const parsed = await simpleParser(message)
    expect(parsed.subject).toBe(frozen.subject)
    expect(parsed.from?.value[0]?.name).toBe(frozen.newsletter.name)
    const parts = message.toString('latin1').match(/Content-Type: text\/\w+/g)
    expect(parts).toEqual(['Content-Type: text/plain', 'Content-Type: text/html'])
    for (const { title, url } of [...frozen.articles, ...frozen.mostRead]) {
      expect(parsed.text).toContain(title)
      expect(parsed.text).toContain(url)
      expect(parsed.html).toContain(`href="${url}"`)
    }
    expect(parsed.text).toContain(aRecipient().unsubscribeUrl)
    expect(parsed.html).toContain(`href="${aRecipient().unsubscribeUrl}"`)
    expect(parsed.html).toContain(`href="${aRecipient().preferencesUrl}"`)
  })

  test.each(['daily', 'alert'] as const)(
    'UNS-6 leaving is in sight: in the text, and within the first 10 kB of the HTML (%s)',
    async (cadence) => {
      const name = 'م'.repeat(200)
      const frozen = aFrozenDigest({ language })
      const message = await aDigestMessage({
        ...frozen,
        cadence,
        intro: name,
        newsletter: { ...frozen.newsletter, name },
        publication: { ...frozen.publication, name },
      })
      const { text, html } = await simpleParser(message)
      const { unsubscribeUrl } = aRecipient()
      expect(text).toContain(unsubscribeUrl)
      const [before = '', ...rest] = String(html).split(`href="${unsubscribeUrl}"`)
      expect(rest.length).toBeGreaterThan(0)
      expect(Buffer.byteLength(before)).toBeLessThan(10_000)
      expect(rest[0]).toMatch(/^[^>]*>[^<\s]/)
      expect(before.slice(before.lastIndexOf('<a '))).not.toMatch(/display:\s*none|font-size:\s*[01]px/)
    },
  )

  test('TPL-1 says its language, direction and title, and every picture has a text and a size', async () => {
    const { html } = await simpleParser(await aDigestMessage({ language }))
    const page = html || ''
    const direction = language === 'ar' ? 'rtl' : 'ltr'
    expect(page).toMatch(new RegExp(`<html[^>]* lang="${language}"[^>]* dir="${direction}"`))
    expect(page).toContain(`<title>${aFrozenDigest({ language }).subject}</title>`)
    expect(page).toContain('role="article"')
    const pictures = page.match(/<img[^>]*>/g) ?? []
    expect(pictures.length).toBeGreaterThan(0)
    for (const picture of pictures) {
      for (const attribute of [/ alt="/, / width="\d+"/, / height="(\d+|auto)"/])
        expect(picture).toMatch(attribute)
    }
    // What lays out is not read out as a table.
    expect(page.match(/<table(?![^>]*role="presentation")[^>]*>/g) ?? []).toEqual([])
  })

  test('the activation mail comes from another sender and asks machines for no answer', async () => {
    const message = await anActivationMessage(language)
    expectCleanBytes(message)
    expect(valuesOf(message, 'from')[0]).toContain('<subscriptions@news.example.org>')
    expect(valuesOf(message, 'auto-submitted')).toEqual(['auto-generated'])
    expect(valuesOf(message, 'x-auto-response-suppress')).toEqual(['All'])
    expect(headersOf(message).filter(([name]) => name.startsWith('list-'))).toEqual([])
    const { text, html } = await simpleParser(message)
    expect(text).toMatch(/^https:\/\/news\.example\.org\/activate\/abc$/m)
    expect(html).not.toMatch(/<img/)
  })
})

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
  for (const line of splitMessage([message]).header.toString('latin1').split('\r\n')) {
    if (!line.startsWith('List-')) expect(line.length).toBeLessThanOrEqual(78)
  }
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

test('HDR-4 the Message-ID is the same on every attempt, and another for everybody else', () => {
  expect(mail.messageId(reference)).toBe(mail.messageId({ ...reference }))
  expect(mail.messageId({ ...reference, subscriberId: 8 })).not.toBe(mail.messageId(reference))
})

test('without inbound mail there is no mailto', async () => {
  const message = await aDigestMessage({}, aMail({ inboundPort: undefined }))
  expect(valuesOf(message, 'list-unsubscribe')[0]).not.toContain('mailto')
})

const hostile = [
  'a\r\nBcc: evil@evil.example',
  'a\nBcc: evil@evil.example',
  'a\rBcc: evil@evil.example',
  'nul\0nul',
  'line\u2028separator\u2029paragraph',
  '=?utf-8?q?Bcc:_evil?=',
  'right\u202eto left',
  '\ud800 alone',
  'x'.repeat(2_000),
  'é'.repeat(700),
  '"quoted" \\ <b@c.example>, d@e.example',
  '{{ publication }} {% raw %}',
  '<script>alert(1)</script><!-- --><![endif]-->',
  '\ufdd0unsubscribeUrl\ufdd1',
  '.\n..\n.',
]

test.each(hostile)(
  'HDR-12 TPL-4 a hostile name, title or author adds no header and breaks no line: %j',
  async (text) => {
    const frozen = aFrozenDigest()
    const articles = frozen.articles.map((article) => ({
      ...article,
      title: text,
      byline: text,
      summary: text,
    }))
    const message = await aDigestMessage({
      subject: text,
      intro: text.slice(0, 200),
      articles,
      newsletter: { ...frozen.newsletter, name: text },
      publication: { ...frozen.publication, name: text.slice(0, 200), postalAddress: text.slice(0, 200) },
    })
    expectCleanBytes(message)
    expect(headersOf(message)).toHaveLength(16)
    expect(valuesOf(message, 'bcc')).toEqual([])
    const parsed = await simpleParser(message)
    expect(parsed.from?.value.map(({ address }) => address)).toEqual(['lettres@news.example.org'])
    expect(parsed.html).not.toContain('<script')
    expect((parsed.html || '').split(aRecipient().unsubscribeUrl)).toHaveLength(3)
  },
)

test('a personal value that would break its line is refused', async () => {
  const skeleton = mail.assembleVariant(await mail.composeDigest(aFrozenDigest()))
  for (const overrides of [
    { to: 'a@b.example\r\nBcc: c@d.example' },
    { to: 'a@b.example, c@d.example' },
    { unsubscribeUrl: 'javascript:alert(1)' },
    { preferencesUrl: 'https://x.example/"><b>' },
    { messageId: '<a@b>\r\nX: y' },
  ]) {
    expect(() => mail.personalise(skeleton, aRecipient(overrides)), JSON.stringify(overrides)).toThrow()
  }
})

test('TPL-3 a digest that would be clipped is shortened, then cut with a way to the rest', async () => {
  const base = aFrozenDigest()
  const many = Array.from({ length: 60 }, (_, index) => ({
    ...(base.articles[index % 3] ?? base.articles[0]),
    id: index + 1,
    title: `${index} ${'Un titre assez long pour compter '.repeat(3)}`,
    summary: 'Un résumé. '.repeat(60),
    url: `https://news.example.org/articles/n-${index}`,
  })) as typeof base.articles
  const parts = await mail.composeDigest({
    ...base,
    articles: many,
    blocks: [{ kind: 'articles', title: '', articleIds: many.map(({ id }) => id) }],
  })
  expect(parts.size).toBeLessThan(100_000)
  expect(parts.isShortened).toBe(true)
  const { text, html } = mail.previewVariant(parts)
  expect(Buffer.byteLength(html)).toBeLessThan(100_000)
  expect(quotedPrintable(html).length).toBeLessThan(100_000)
  expect(text).toMatch(/Encore \d+ articles sur le site/)
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

test('TPL-2 TPL-9 no host but ours is asked for anything, and nothing is counted', async () => {
  const { html } = mail.previewVariant(await mail.composeDigest(aFrozenDigest()))
  const hosts = Array.from(html.matchAll(/(?:src|href)="https?:\/\/([^/"]+)/g), (match) => match[1])
  expect(new Set(hosts)).toEqual(new Set(['news.example.org']))
  expect(html).not.toMatch(/@import|url\(/)
})

test('no line of a body begins as a mailbox file or SMTP would take it for their own', () => {
  const text = 'From the harbour:\n.\nFromage frais\n'
  expect(quotedPrintable(text)).toBe('=46rom the harbour:\r\n=2E\r\nFromage frais\r\n')
  expect(quotedPrintable(`${'x'.repeat(75)}From afar`)).toBe(`${'x'.repeat(75)}=\r\n=46rom afar`)
})
