import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { splitMessage } from '../../src/mail/canonical.ts'
import { composeDigest } from '../../src/mail/compose.ts'
import { mailboxHeader, quotedPrintable, textHeader } from '../../src/mail/encoding.ts'
import { gapMark } from '../../src/mail/message.ts'
import { loadTemplates, type TemplateData } from '../../src/mail/templates.ts'
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

async function anActivationMessage(language: string, name?: string) {
  const publication = aPublication(name === undefined ? {} : { name, postalAddress: name })
  const composed = await mail.composePersonal(
    {
      kind: 'activation',
      newsletters: name === undefined ? ['Le Matin', 'الصباح'] : [name],
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

const decodeWords = (value: string): string =>
  value.replace(/=\?UTF-8\?B\?(.*?)\?=/g, (_, word: string) => Buffer.from(word, 'base64').toString())

function expectCleanBytes(message: Buffer) {
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

  test('HDR-2 comes from one mailbox, the newsletter’s, and personal mail from another', async () => {
    const sendersOf = async (message: Buffer) => (await simpleParser(message)).from?.value
    const { newsletter } = aFrozenDigest({ language })
    expect(await sendersOf(await aDigestMessage({ language }))).toEqual([
      { name: newsletter.name, address: 'lettres@news.example.org' },
    ])
    expect(await sendersOf(await anActivationMessage(language))).toEqual([
      { name: aPublication().name, address: 'subscriptions@news.example.org' },
    ])
  })

  test('HDR-3 HDR-4 HDR-5 HDR-6 HDR-7 HDR-8 HDR-9 say to whom, about which list, and how to leave', async () => {
    const message = await aDigestMessage({ language })
    const slug = { fr: 'le-matin', ar: 'as-sabah', en: 'morning' }[language]
    expect(valuesOf(message, 'to')).toEqual(['reader@reader.example'])
    expect(valuesOf(message, 'message-id')[0]).toMatch(/^<[a-z2-7]+\.[a-z2-7]{13}@news\.example\.org>$/)
    expect(decodeWords(valuesOf(message, 'list-id')[0] ?? '').replaceAll('"', '')).toBe(
      `${aFrozenDigest({ language }).newsletter.name} <${slug}.lists.news.example.org>`,
    )
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
    const subject = 'A long subject of plain words '.repeat(9).trim()
    const message = await aDigestMessage({ language, subject })
    expectCleanBytes(message)
    expect((await simpleParser(message)).subject).toBe(subject)
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
    const direction = language === 'ar' ? 'rtl' : 'ltr'
    for (const message of [
      await aDigestMessage({ language }),
      await aDigestMessage({ language, template: 'brief' }),
      await anActivationMessage(language),
    ]) {
      const { html, subject } = await simpleParser(message)
      const page = html || ''
      expect(page).toMatch(new RegExp(`<html[^>]* lang="${language}"[^>]* dir="${direction}"`))
      // A letter's title is its heading; a digest's is what the inbox shows.
      if (valuesOf(message, 'list-id').length > 0) expect(page).toContain(`<title>${subject}</title>`)
      expect(page).toMatch(/<title>[^<]+<\/title>/)
      expect(page).toContain('role="article"')
      // What lays out is not read out as a table.
      expect(page.match(/<table(?![^>]*role="presentation")[^>]*>/g) ?? []).toEqual([])
    }
    const { html } = await simpleParser(await aDigestMessage({ language }))
    const { articles } = aFrozenDigest({ language })
    const pictures = String(html).match(/<img[^>]*>/g) ?? []
    expect(pictures).toHaveLength(articles.filter(({ picture }) => picture).length)
    for (const picture of pictures) expect(picture).toMatch(/ alt="[^"]+" width="\d+" height="\d+"/)
  })

  test('the activation mail comes from another sender and asks machines for no answer', async () => {
    const message = await anActivationMessage(language)
    expectCleanBytes(message)
    expect(valuesOf(message, 'from')[0]).toContain('<subscriptions@news.example.org>')
    expect(valuesOf(message, 'auto-submitted')).toEqual(['auto-generated'])
    expect(valuesOf(message, 'x-auto-response-suppress')).toEqual(['All'])
    expect(headersOf(message).filter(([name]) => name.startsWith('list-'))).toEqual([])
    const { text, html } = await simpleParser(message)
    // To activate, and to say that it was somebody else.
    expect(text?.match(/^https:\/\/news\.example\.org\/activate\/abc$/gm)).toHaveLength(2)
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
  expect(mail.messageId({ ...reference, digestId: 43 })).not.toBe(mail.messageId(reference))
  // Under the domain of the newsletter's own sender.
  expect(mail.messageId(reference, { from: 'Le Soir <soir@soir.example>' })).toMatch(/@soir\.example>$/)
})

test('HDR-5 HDR-9 every list has an ASCII name of its own, whatever letters its slug has', async () => {
  const slugs = [
    'الصباح',
    'الصباح-le-matin',
    'المساء-le-soir',
    'a_b',
    '漢',
    String.fromCodePoint(...characters),
  ]
  const names = new Set<string>()
  for (const slug of slugs) {
    const { newsletter } = aFrozenDigest()
    const message = await aDigestMessage({ newsletter: { ...newsletter, slug } })
    const [, name = ''] =
      /<(.*)\.lists\.news\.example\.org>$/.exec(valuesOf(message, 'list-id')[0] ?? '') ?? []
    expect(name, slug).toMatch(/^[a-z0-9_-]{1,63}$/)
    expect(valuesOf(message, 'feedback-id')).toEqual([`42:${name}:daily:newsexampleorg`])
    names.add(name)
  }
  expect(names.size).toBe(slugs.length)
})

/** A hundred letters, as many as a slug may have, which no encoding makes short. */
const characters = Array.from({ length: 100 }, (_, index) => 0x4e00 + index * 200)

test.each(['a@b.io', 'a@a-newspaper-with-a-very-long-name.example'])(
  'HDR-9 the sender’s own name for complaint statistics has 5 to 15 characters: %s',
  async (from) => {
    const { newsletter } = aFrozenDigest()
    const message = await aDigestMessage({ newsletter: { ...newsletter, from } })
    expect(valuesOf(message, 'feedback-id')[0]).toMatch(/^42:le-matin:daily:[a-z0-9]{5,15}$/)
  },
)

test('without inbound mail there is no mailto', async () => {
  const message = await aDigestMessage({}, aMail({ inboundPort: undefined }))
  expect(valuesOf(message, 'list-unsubscribe')[0]).not.toContain('mailto')
})

/** What nobody may smuggle into a header or a page, and how it is read. */
const hostile: [text: string, readAs?: string][] = [
  ['a\r\nBcc: evil@evil.example', 'a Bcc: evil@evil.example'],
  ['a\nBcc: evil@evil.example', 'a Bcc: evil@evil.example'],
  ['a\rBcc: evil@evil.example', 'a Bcc: evil@evil.example'],
  ['nul\0nul', 'nulnul'],
  ['line\u2028separator\u2029paragraph', 'line separator paragraph'],
  ['=?utf-8?q?Bcc:_evil?='],
  ['right\u202eto left', 'rightto left'],
  ['\ud800 alone', '\ufffd alone'],
  ['x'.repeat(2_000)],
  ['é'.repeat(300)],
  ['"quoted" \\ <b@c.example>, d@e.example'],
  ['{{ publication }} {% raw %}'],
  ['<script>alert(1)</script><!-- --><![endif]-->'],
  ['<img src=x onerror=alert(1)>'],
  ['"><a href="javascript:alert(1)">x</a>'],
  ["' onmouseover='alert(1)"],
  ['</style><style>@import url(//evil.example);</style>'],
  ['</title><meta http-equiv="refresh" content="0;url=//evil.example">'],
  ['\ufdd0unsubscribeUrl\ufdd1', 'unsubscribeUrl'],
  ['.\n..\n.', '. .. .'],
]

/** A digest in which every text that anybody writes is this one. */
function aDigestOf(text: string, template: 'digest' | 'brief'): Parameters<typeof aDigestMessage>[0] {
  const frozen = aFrozenDigest()
  return {
    template,
    subject: text,
    intro: text.slice(0, 200),
    articles: frozen.articles.map(({ picture, ...article }) => ({
      ...article,
      title: text,
      byline: text,
      summary: text,
      sectionNames: [text],
      ...(picture && { picture: { ...picture, alt: text } }),
    })),
    blocks: frozen.blocks.map((block) => ({ ...block, title: block.title && text })),
    mostRead: frozen.mostRead.map((article) => ({ ...article, title: text })),
    newsletter: { ...frozen.newsletter, name: text },
    publication: { ...frozen.publication, name: text.slice(0, 200), postalAddress: text.slice(0, 200) },
  }
}

/** The elements of a page but for its line breaks, with all their attributes but those that hold texts. */
const elementsOf = (html: string | false | undefined): string[] =>
  (String(html).match(/<(?!br>)[^>]*>/g) ?? []).map((element) =>
    element.replace(/ (alt|aria-label)="[^"]*"/g, ''),
  )

/** Has a title that quotes somebody. */
const aDeskNotice = (text: string) =>
  mail.composePersonal(
    {
      kind: 'desk-notice',
      notice: 'digest_paused',
      values: { digest: text },
      url: 'https://news.example.org/desk',
    },
    aPublication(),
    'fr',
  )

const namesOf = (message: Buffer) => headersOf(message).map(([name]) => name)

test.each(hostile)(
  'HDR-12 TPL-4 a hostile name, title or author adds no header, breaks no line and is only text: %j',
  async (text, readAs = text) => {
    for (const template of ['digest', 'brief'] as const) {
      const harmless = await aDigestMessage(aDigestOf('Le titre', template))
      const message = await aDigestMessage(aDigestOf(text, template))
      expectCleanBytes(message)
      expect(namesOf(message)).toEqual(namesOf(harmless))
      const parsed = await simpleParser(message)
      expect(parsed.subject).toBe(readAs)
      expect(parsed.from?.value).toEqual([{ name: readAs, address: 'lettres@news.example.org' }])
      expect(parsed.text).toContain(readAs)
      expect(`${parsed.text}${String(parsed.html)}`).not.toMatch(/[\0\u2028\u2029\u202e\ufdd0\ud800]/)
      expect(elementsOf(parsed.html)).toEqual(elementsOf((await simpleParser(harmless)).html))
    }
    const letter = await anActivationMessage('fr', text)
    const harmlessLetter = await anActivationMessage('fr', 'Le titre')
    expectCleanBytes(letter)
    expect(namesOf(letter)).toEqual(namesOf(harmlessLetter))
    const [read, expected] = [await simpleParser(letter), await simpleParser(harmlessLetter)]
    expect(read.from?.value.map(({ address }) => address)).toEqual(['subscriptions@news.example.org'])
    expect(elementsOf(read.html)).toEqual(elementsOf(expected.html))
    const [notice, harmlessNotice] = [await aDeskNotice(text), await aDeskNotice('Le titre')]
    expect(elementsOf(notice.html)).toEqual(elementsOf(harmlessNotice.html))
  },
)

test.each(hostile)(
  'HDR-12 a header of any text stays one header, and is read as it was meant: %j',
  (text, readAs = text) => {
    for (const header of [
      textHeader('Subject', text),
      mailboxHeader('From', { name: text, address: 'a@news.example' }),
    ]) {
      expect(header).toMatch(/^(Subject|From):( [\x20-\x7e]+\r\n)+$/)
      // RFC 2047, 6.2: what is between two encoded words is not shown.
      const joined = header
        .replace(/\?=\r\n =\?/g, '?==?')
        .replace(/\r\n /g, ' ')
        .trimEnd()
      const read = decodeWords(joined.replace(/^\w+: /, '').replace(/ <a@news.example>$/, ''))
      expect(/^From/.test(header) ? read.replace(/^"(.*)"$/, '$1').replace(/\\(["\\])/g, '$1') : read).toBe(
        readAs,
      )
    }
  },
)

test('TPL-4 a link that is not a web address stops the digest, and such a picture is not shown', async () => {
  const frozen = aFrozenDigest()
  for (const url of [
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example/',
    'https://x.example/"><b>',
  ]) {
    const [article, ...others] = frozen.articles
    if (!article?.picture) throw new Error('the first article has a picture')
    const linking = [{ ...article, url }, ...others]
    await expect(mail.composeDigest({ ...frozen, articles: linking }), url).rejects.toThrow(
      'not a web address',
    )
    const showing = [{ ...article, picture: { ...article.picture, url } }, ...others]
    const { html } = mail.previewVariant(await mail.composeDigest({ ...frozen, articles: showing }))
    expect(html.match(/<img/g), url).toHaveLength(2)
  }
})

test('HDR-7 a test, whose link ends no subscription, does not promise one-click', async () => {
  const parts = await mail.composeDigest(aFrozenDigest())
  const message = Buffer.concat(
    mail.personalise(mail.assembleVariant(parts, undefined, { isTest: true }), aRecipient()),
  )
  expect(valuesOf(message, 'list-unsubscribe')).toHaveLength(1)
  expect(valuesOf(message, 'list-unsubscribe-post')).toEqual([])
})

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

test('no line of a body begins as a mailbox file or SMTP would take it for their own', () => {
  const text = 'From the harbour:\n.\nFromage frais\n'
  expect(quotedPrintable(text)).toBe('=46rom the harbour:\r\n=2E\r\nFromage frais\r\n')
  expect(quotedPrintable(`${'x'.repeat(75)}From afar`)).toBe(`${'x'.repeat(75)}=\r\n=46rom afar`)
})
