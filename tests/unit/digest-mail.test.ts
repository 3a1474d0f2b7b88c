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
  const shorter = await mail.composeDigest(aLongDigest(34, (index) => `عنوان ${index}`))
  expect(shorter).toMatchObject({ isShortened: true, isLarge: shorter.size >= 80_000 })
  expectToFit(mail.previewVariant(shorter))
  expect(mail.previewVariant(shorter).text.match(/\/articles\/n-/g)).toHaveLength(34)
  const bare = await mail.composeDigest(aLongDigest(40, (index) => `${index} ${'عنوان طويل '.repeat(8)}`))
  expectToFit(mail.previewVariant(bare))
  expect(mail.previewVariant(bare).text.match(/\/articles\/n-/g)).toHaveLength(40)
  expect(mail.previewVariant(bare).text).not.toContain('ملخّص')
  // Then fewer articles, and all that are left out are counted.
  const cut = await mail.composeDigest(aLongDigest(90, (index) => `${index} ${'عنوان طويل '.repeat(8)}`))
  expectToFit(mail.previewVariant(cut))
  const { text } = mail.previewVariant(cut)
  const shown = text.match(/\/articles\/n-/g)?.length ?? 0
  expect(shown).toBeGreaterThan(0)
  expect(text).toContain(new Intl.NumberFormat('ar-DZ').format(90 - shown + 7))
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
  const { html } = mail.renderWeb(parts)
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
      ...[`${aRecipient().preferencesUrl}#newsletter-le-matin`, 'mailto:contact@news.example.org'],
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

test('R-7 the newsroom stands above its newsletter, once, and the line beside the subject runs into nothing', async () => {
  const frozen = aFrozenDigest()
  const html = mail.previewVariant(await mail.composeDigest(frozen)).html
  const [, top = ''] = html.split('border-top:5px')
  expect(top.indexOf(frozen.publication.name)).toBeGreaterThan(0)
  expect(top.indexOf(frozen.publication.name)).toBeLessThan(top.indexOf('<h1'))
  const preheader = /<div style="display:none[^>]*>(.*?)<\/div>/.exec(html)?.[1] ?? ''
  expect(preheader).toMatch(/^Une école d’horlogerie[^&]*(?:&#847;&zwnj;&nbsp;){50}$/)
  const [story] = frozen.articles
  if (!story) throw new Error('a digest has articles')
  const alert = { ...frozen, cadence: 'alert' as const, articles: [story], subject: story.title }
  const { html: one } = mail.previewVariant(
    await mail.composeDigest({ ...alert, blocks: frozen.blocks.slice(0, 1) }),
  )
  expect(one).toContain(`mso-hide:all">${story.summary.slice(0, 60)}`)
  // A letter of the same name as its newsroom.
  const same = { ...frozen, publication: { ...frozen.publication, name: frozen.newsletter.name } }
  const { html: own } = mail.previewVariant(await mail.composeDigest(same))
  expect(
    own
      .split('border-top:5px')[1]
      ?.split('<hr')[0]
      ?.match(/>Le Matin</g),
  ).toHaveLength(2)
})

test('R-7 the text shows short addresses, where the page is here', async () => {
  const base = aFrozenDigest({ linkTags: { owners: ['example.org'], source: 'le-matin', campaign: '1' } })
  const articles = base.articles.map((one, n) =>
    n === 0 ? { ...one, shortUrl: 'https://news.example.org/s/b2c3d4f' } : one,
  )
  const { text, html } = mail.previewVariant(await mail.composeDigest({ ...base, articles }))
  const tags = '?utm_source=le-matin&utm_medium=email&utm_campaign=1'
  expect(text).toContain(`\nhttps://news.example.org/s/b2c3d4f${tags}\n`)
  expect(text).not.toContain('/articles/fr-1')
  expect(text).toContain(`/articles/fr-2${tags}\n`)
  expect(html).not.toContain('/s/b2c3d4f')
})

test('R-7 what Word needs of an Arabic mail stands in attributes, and never beside a padding', async () => {
  for (const [message, cells] of [
    [await aDigestMessage({ language: 'ar' }), 'td align="right"'],
    [await anActivationMessage('ar'), 'td align="right"'],
  ] as const) {
    const { html } = await simpleParser(message)
    // As Outlook reads it: what others take for comments is there.
    const page = String(html).replace(/<!--\[if mso \| IE\]>|<!\[endif\]-->/g, '')
    expect(page).toContain(cells)
    expect(page).not.toMatch(/text-align:\s*left|align="left"/)
    const open: boolean[] = []
    for (const [tag, slash] of page.matchAll(/<(\/?)table\b[^>]*>/g)) {
      if (slash === '') open.push(tag.includes('dir="rtl"') || open.at(-1) === true)
      else open.pop()
      expect(open.every(Boolean), tag).toBe(true)
    }
    for (const [cell] of page.matchAll(
      /<table[^>]*dir="rtl"[^>]*>(?:<tbody>)?<tr><td[^>]*>|<td[^>]*direction:rtl[^>]*>/g,
    ))
      expect(cell).not.toMatch(/padding:(?!0;)/)
  }
  expect(String((await simpleParser(await aDigestMessage({ language: 'fr' }))).html)).not.toContain(
    'dir="rtl"',
  )
})
