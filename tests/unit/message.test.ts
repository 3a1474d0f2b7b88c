import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { mailboxHeader, quotedPrintable, textHeader } from '../../src/mail/message/encoding.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aPublication, aRecipient } from '../support/mail.ts'
import {
  aDigestMessage,
  anActivationMessage,
  decodeWords,
  expectCleanBytes,
  headersOf,
  mail,
  reference,
  valuesOf,
} from '../support/written-mail.ts'

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

test('HDR-2 a sender is set as it was meant: its quotes, and a domain in other letters', async () => {
  const quoted = '"Le \\"Matin\\", Alger"'
  const from = aMail({ mailFrom: `${quoted} <lettres@bücher.example>` })
  const sender = `${quoted} <lettres@xn--bcher-kva.example>`
  expect(valuesOf(await aDigestMessage({}, from), 'from')).toEqual([sender])
  expect(from.findSenderFault('rédaction@news.example.org')).toBe('malformed')
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

test('no line of a body begins as a mailbox file or SMTP would take it for their own', () => {
  const text = 'From the harbour:\n.\nFromage frais\n'
  expect(quotedPrintable(text)).toBe('=46rom the harbour:\r\n=2E\r\nFromage frais\r\n')
  expect(quotedPrintable(`${'x'.repeat(75)}From afar`)).toBe(`${'x'.repeat(75)}=\r\n=46rom afar`)
})

test('a provider in use is handed our seal, in a header that our signature does not cover', async () => {
  const parts = await mail.composeDigest(aFrozenDigest())
  const providers = ['brevo', 'generic', 'mailgun', 'postmark', 'sendgrid', 'ses'] as const
  const messageId = mail.messageId(reference)
  const recipient = aRecipient({ messageId })
  const message = Buffer.concat(
    mail.personalise(mail.assembleVariant(parts, undefined, { providers }), recipient),
  )
  const seal = messageId.slice(1, messageId.indexOf('@')).replace('.', '-')
  expect(headersOf(message).filter(([, value]) => value.includes(seal))).toEqual([
    ['x-mailin-custom', `depeche:${seal}`],
    ['x-mailgun-variables', `{"depeche":"${seal}"}`],
    ['x-pm-metadata-depeche', seal],
    ['x-smtpapi', `{"unique_args":{"depeche":"${seal}"}}`],
    ['x-ses-message-tags', `depeche=${seal}`],
  ])
  expectCleanBytes(message)
  const plain = Buffer.concat(mail.personalise(mail.assembleVariant(parts), recipient))
  expect(plain.toString()).not.toMatch(/depeche[-:=]/i)
})
