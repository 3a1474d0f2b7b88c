import { runProgram } from './programs.ts'

/** What others read in a PDF: poppler's programs. */
export const pdfText = (bytes: Buffer): string =>
  runProgram('pdftotext', ['-q', '-', '-'], bytes).replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')

const word = /<page|<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)<\/word>/g

/** The words that are printed over others: half of their height or more. */
export function overprinted(bytes: Buffer): string[] {
  let page = 0
  const words = [...runProgram('pdftotext', ['-q', '-bbox', '-', '-'], bytes).matchAll(word)].flatMap(
    ([all, left, top, right, bottom, text = '']) => {
      if (all === '<page') page++
      return text === ''
        ? []
        : [{ page, text, left: Number(left), top: Number(top), right: Number(right), bottom: Number(bottom) }]
    },
  )
  return words
    .filter((a, index) =>
      words
        .slice(0, index)
        .some(
          (b) =>
            a.page === b.page &&
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > (a.bottom - a.top) / 2,
        ),
    )
    .map(({ text }) => text)
}

export const pdfPictures = (bytes: Buffer): number =>
  runProgram('pdfimages', ['-list', '-'], bytes).split('\n').slice(2).filter(Boolean).length

const fact = (output: string, name: string) => new RegExp(`^${name}: +(.+)$`, 'm').exec(output)?.[1]

export function pdfFacts(bytes: Buffer) {
  const facts = runProgram('pdfinfo', ['-'], bytes)
  const fonts = runProgram('pdffonts', ['-'], bytes).split('\n').slice(2).filter(Boolean)
  return {
    title: fact(facts, 'Title'),
    pages: Number(fact(facts, 'Pages')),
    isTagged: fact(facts, 'Tagged') === 'yes',
    size: fact(facts, 'Page size'),
    isAccessible: runProgram('pdfinfo', ['-meta', '-'], bytes).includes('<pdfuaid:part>1</pdfuaid:part>'),
    fonts: fonts.map((line) => line.split(/\s/)[0]?.replace(/^[A-Z]+\+/, '') ?? '').sort(),
    areFontsEmbedded: fonts.every((line) => / yes +yes +(?:yes|no) +\d+ +\d+ *$/.test(line)),
    links: runProgram('pdfinfo', ['-url', '-'], bytes).match(/https?:\S+/g) ?? [],
  }
}
