import { expect, test } from 'vitest'
import { headerText, readMime, textOf } from '../../src/mail/inbound/mime.ts'

const mime = (...lines: string[]) => readMime(Buffer.from(lines.join('\r\n')))
const multipart = (boundary: string) => `Content-Type: multipart/mixed; boundary="${boundary}"`

test('a mail is taken apart into parts without parts, a returned message being one', () => {
  const mail = mime(
    multipart('outer'),
    '',
    'For those who cannot read this.',
    '--outer',
    multipart('outer-2'),
    '',
    '--outer-2',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'remis =E0 per=',
    'sonne',
    '--outer-2',
    'Content-Type: text/html',
    '',
    '<p>one<br>two &lt;3</p><style>p {}</style>',
    '--outer-2--',
    '--outer',
    'Content-Type: message/rfc822',
    '',
    multipart('inner'),
    '',
    '--inner',
    '--outer--',
    'the end',
  )
  expect(mail.parts.map(({ type }) => type)).toEqual(['text/plain', 'text/html', 'message/rfc822'])
  const [text, html, returned] = mail.parts
  expect(text && textOf(text, 100)).toBe('remis à personne')
  expect(html && textOf(html, 100)).toBe('\none\ntwo <3\n')
  expect(returned?.body).toContain('boundary="inner"')
})

test('broken mails are read as far as they go', () => {
  // A gateway changed the boundary and not its name.
  expect(mime(multipart('B'), '', '--C', '', 'text', '--C--').parts).toMatchObject([{ body: 'text' }])
  // Cut off.
  expect(mime(multipart('B'), '', '--B', '', 'text').parts).toMatchObject([{ body: 'text' }])
  // No parts at all.
  expect(mime(multipart('B'), '', 'text').parts).toMatchObject([{ type: 'text/plain', body: 'text' }])
  const [part] = mime('Content-Type: text/plain; charset=klingon', '', 'nuqneH').parts
  expect(part && textOf(part, 100)).toBe('nuqneH')
  expect(headerText('=?utf-8?Q?non_remis=C3=A9?= =?klingon?B?eA==?= news')).toBe('non remiséx news')
})

test('text is read in the charset that nobody named, and HTML with what it writes as entities', () => {
  const textIn = (type: string, body: string) => {
    const [part] = readMime(Buffer.from(`Content-Type: ${type}\n\n${body}`, 'latin1')).parts
    return part && textOf(part, 1_000)
  }
  expect(textIn('text/plain', 'Bo\xeete pleine')).toBe('Boîte pleine')
  expect(textIn('text/plain', 'Bo\xc3\xaete pleine')).toBe('Boîte pleine')
  expect(headerText('Bo\xeete')).toBe('Boîte')
  expect(textIn('text/html', 'Bo&icirc;te <b>pleine</b> &#8212; &#x645;&#1605;&#0; &amp;lt; &klingon;')).toBe(
    'Boite pleine — مم&#0; &lt; &klingon;',
  )
})

const bytes = 1_000_000
const fill = (text: string) => text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes)

test.each([
  ['a line', fill('a')],
  ['header fields', fill('X-A: b\n')],
  ['one field of many lines', `X-A: b\n${fill(' b\n')}`],
  ['colons', fill(':')],
  ['spaces', fill(' ')],
  ['line ends', fill('\n')],
  ['no boundary', `${multipart('')}\n\n${fill('--\n')}`],
  ['empty parts', `${multipart('B')}\n\n${fill('--B\n')}`],
  ['parts that begin like the boundary', `${multipart('B')}\n\n${fill('--BB\n')}`],
  ['a boundary that is nearly there', `${multipart('-'.repeat(60))}\n\n${fill('-')}`],
  ['a boundary as long as the mail', `${multipart(fill('b'))}\n\n--b`],
  ['parts within parts', fill(`${multipart('B')}\n\n--B\n`)],
  [
    'parts within parts, each named',
    Array.from({ length: 20_000 }, (_, n) => `${multipart(`b${n}`)}\n\n--b${n}\n`).join(''),
  ],
])('BNC-7 the cost of %s is in proportion to its length', (_name, text) => {
  const half = readMime(Buffer.from(text.slice(0, text.length / 2)))
  const whole = readMime(Buffer.from(text))
  // No more than once to open, and twice to divide, at each of the levels that are looked at.
  for (const [mail, length] of [
    [half, text.length / 2],
    [whole, text.length],
  ] as const) {
    expect(mail.looked).toBeLessThanOrEqual(30 * length)
    expect(mail.parts.length).toBeLessThanOrEqual(65)
    expect(mail.headers.size).toBeLessThanOrEqual(300)
    for (const value of mail.headers.values()) expect(value.length).toBeLessThanOrEqual(4_100)
    for (const part of mail.parts) expect(textOf(part, 1_000).length).toBeLessThanOrEqual(1_000)
  }
})
