import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { readWxr, type WxrPart } from '../../src/import/wordpress/wxr.ts'
import { openXml, readingOf } from '../../src/import/xml/xml.ts'
import { noRepairs } from '../../src/import/xml/repairs.ts'
import { XmlRepair } from '../../src/import/xml/xml-repair.ts'

const head = `<?xml version="1.0" encoding="UTF-8" ?>
<!-- an export
 in two lines --><?note a > b?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Le Rivage</title><link>https://r.example</link><wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>https://r.example</wp:base_blog_url>
`
const tail = '</channel>\n</rss>\n'

const item = (id: number, title: string, content: string, more = '') =>
  `<item><title>${title}</title><wp:post_id>${id}</wp:post_id><wp:post_type><![CDATA[post]]></wp:post_type>` +
  `<content:encoded>${content}</content:encoded>${more}</item>\n`

const wellFormed = [
  item(1, '<![CDATA[Le phare & la mer]]>', '<![CDATA[<p title="a>b">افتتح السوق 🎉 – été</p>]]>'),
  item(2, '<![CDATA[Grosse]]> : la suite', '<![CDATA[a[b[0]]]]><![CDATA[>1]]><!-- fin\n --><?x y?>'),
  item(3, 'A &amp; B &#233;&lt;i&gt;', 'x<![CDATA[]]>y ]] z\r\nw'),
  item(
    4,
    `<!-- a ]]> b --><![CDATA[]]]]>`,
    '<![CDATA[<!-- wp:p --><p>]]&gt;</p>]]>\n',
    `<category domain='post_tag' nicename="a'b&quot;>"  ><![CDATA[Mer]]></category><wp:meta_key/>`,
  ),
]

const malformed = [
  item(5, 'Pêche & cie &nbsp;&eacute; AT&T; &', '<![CDATA[<code>a[b[0]]>1 <!-- wp:x --><b>c</b> ]]></p>]]>'),
  item(
    6,
    'a < b <3 </ ]]> c',
    '<![CDATA[\u0008un &#11; deux]]> trois <!-- x --></content:encoded><content:encoded>&#0;é',
  ),
  item(7, '<b>Perdue', '<![CDATA[fin]]>', `<a b="1>2" c='"' d=e&f></i><x y="<?php echo $a[$b[1]]>2 ?>`),
]

const documents = {
  'a well-formed export': head + wellFormed.join('') + tail,
  'one with every malformation': '\uFEFFWarning: x\n' + head + [...malformed, ...wellFormed].join('') + tail,
  'one that ends in the middle': head + [...malformed, ...wellFormed].join('').slice(0, -120),
}

async function read(pieces: Buffer[], asWellFormed?: boolean) {
  const reading = await readingOf(() => pieces)
  const isWellFormed = asWellFormed ?? reading.isWellFormed
  const reader = readWxr(pieces, { ...reading, isWellFormed })
  const parts: WxrPart[] = []
  for await (const some of reader.parts) parts.push(...some)
  return {
    reading,
    parts,
    repairs: reader.source.repairs,
    isComplete: reader.isComplete(),
    site: reader.site,
  }
}

const written = async (pieces: Buffer[]) =>
  JSON.stringify(await read(pieces), (_key, value: unknown) => (value instanceof Map ? [...value] : value))

const fieldsOf = ({ parts }: { parts: WxrPart[] }) =>
  parts.flatMap((part) => (part.kind === 'item' ? [[part.item.fields.title, part.item.fields.content]] : []))

test('well-formed XML is read as it is, and the repair changes nothing in it', async () => {
  const bytes = Buffer.from(documents['a well-formed export'])
  const strict = await read([bytes])
  expect(fieldsOf(strict)).toEqual([
    ['Le phare & la mer', '<p title="a>b">افتتح السوق 🎉 – été</p>'],
    ['Grosse : la suite', 'a[b[0]]>1'],
    ['A & B é<i>', 'xy ]] z\nw'],
    [']]', '<!-- wp:p --><p>]]&gt;</p>\n'],
  ])
  expect(strict).toMatchObject({ reading: { isWellFormed: true }, repairs: noRepairs(), isComplete: true })
  expect(strict.parts.at(-1)).toMatchObject({
    item: { line: 11, terms: [{ domain: 'post_tag', nicename: `a'b">`, name: 'Mer' }] },
  })
  expect(await read([bytes], false)).toEqual(strict)
})

test('what a strict parser refuses is mended, and every item is there', async () => {
  const mended = await read([Buffer.from(documents['one with every malformation'])])
  expect(fieldsOf(mended)).toEqual([
    ['Pêche & cie &nbsp;&eacute; AT&T; &', '<code>a[b[0]]>1 <!-- wp:x --><b>c</b> ]]></p>'],
    ['a < b <3 </ ]]> c', 'é'],
    ['<b>Perdue</b>', 'fin'],
    ...fieldsOf(await read([Buffer.from(documents['a well-formed export'])])),
  ])
  expect(mended).toMatchObject({ reading: { isWellFormed: false }, isComplete: true })
})

const cutAt = (bytes: Buffer, at: number) => [bytes.subarray(0, at), bytes.subarray(at)]

function cutEvery(bytes: Buffer, length: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += length) pieces.push(bytes.subarray(at, at + length))
  return pieces
}

const mixed = 'UTF-8 with Windows-1252 in between'
const encodings: Record<string, (text: string) => Buffer> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-16': (text) => Buffer.from('\uFEFF' + text, 'utf16le'),
  [mixed]: (text) =>
    Buffer.concat([Buffer.from(text), Buffer.from('<a>L\x92\xe9t\xe9\xa0\xbb</a><b>\xd9</b>', 'latin1')]),
}

const cases: [string, string, string][] = [
  ...Object.entries(documents).map(([name, text]): [string, string, string] => [name, 'UTF-8', text]),
  ['one with every malformation', 'UTF-16', documents['one with every malformation']],
  ['one with every malformation', mixed, documents['one with every malformation']],
]

test.each(cases)('%s in %s is the same wherever it is cut', async (_name, encoding, text) => {
  const bytes = encodings[encoding]?.(text) ?? Buffer.alloc(0)
  const whole = await written([bytes])
  for (let at = 1; at < bytes.length; at += 1) {
    const cut = await written(cutAt(bytes, at))
    if (cut !== whole) expect(cut, `cut at ${at}, behind ${text.slice(at - 20, at)}`).toBe(whole)
  }
  expect(await written(cutEvery(bytes, 1))).toBe(whole)
})

test.each(Object.entries(documents))(
  '%s of 200 kB is the same in pieces of any length',
  async (_name, text) => {
    const begin = text.slice(0, text.indexOf('<item>'))
    const items = text.slice(begin.length)
    const bytes = Buffer.from(begin + items.repeat(Math.ceil(200_000 / items.length)))
    const whole = await written([bytes])
    for (const length of [1, 2, 3, 7, 61, 1_021, 4_096, 65_535, 65_536, 65_537]) {
      const cut = await written(cutEvery(bytes, length))
      if (cut !== whole) expect(cut, `pieces of ${length}`).toBe(whole)
    }
  },
)

test.each([
  ['well-formed', wellFormed],
  ['malformed', [...wellFormed, ...malformed]],
])('every token of a %s export may end with a piece of the file', async (_name, list) => {
  const items = list.join('')
  const expected = (await written([Buffer.from(head + items + tail)])).replace(/"line":\d+/g, '')
  for (const { index, 0: token } of items.matchAll(/\]\]>|<!\[CDATA\[|<[^<>]*>|&[^;<]*;?/g)) {
    const before = Buffer.byteLength(head + items.slice(0, index) + token)
    const padded = Buffer.from(head + ' '.repeat(65_536 - before) + items + tail)
    const cut = (await written(cutEvery(padded, 65_536))).replace(/"line":\d+/g, '')
    if (cut !== expected) expect(cut, `behind ${token}`).toBe(expected)
  }
})

test.each([64, 65_536])(
  'the repair that looks %s characters ahead does not depend on chunks',
  (lookAhead) => {
    const text = documents['one with every malformation']
    const repair = (chunks: string[]) => {
      const repairs = noRepairs()
      const written: string[] = []
      let cuts = 0
      const options = {
        repairs,
        write: (xml: string) => written.push(xml),
        maxText: 30,
        onTruncated: () => (cuts += 1),
      }
      const one = new XmlRepair({ ...options, lookAhead })
      for (const chunk of chunks) one.push(chunk)
      one.end()
      return { xml: written.join(''), repairs, lines: one.droppedLines, isCut: cuts > 0 }
    }
    const whole = repair([text])
    expect(whole.isCut).toBe(true)
    for (let at = 1; at < text.length; at += 1) {
      const cut = repair([text.slice(0, at), text.slice(at)])
      if (!isDeepStrictEqual(cut, whole)) expect(cut, `cut at ${at}`).toEqual(whole)
    }
    expect(repair(Array.from(text))).toEqual(whole)
  },
)

test.each(['<', '&', ']]>', '&lt;', '&#233;'])(
  'a text of %s alone is let go of piece by piece',
  async (mark) => {
    const bytes = [Buffer.from(`<a>${mark.repeat(300_000)}</a>`)]
    const reading = await readingOf(() => bytes)
    const texts: string[] = []
    const listener = {
      open: () => undefined,
      close: () => undefined,
      text: (text: string) => texts.push(text),
    }
    for await (const _ of openXml(bytes, listener, { ...reading, isWellFormed: false }).chunks) continue
    expect(texts.join('')).toHaveLength(
      mark.startsWith('&#') || mark === '&lt;' ? 300_000 : 300_000 * mark.length,
    )
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(70_000)
  },
)
