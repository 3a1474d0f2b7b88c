import { runProgram } from './programs.ts'

/** What others read in a PDF: poppler's programs. */
export const pdfText = (bytes: Buffer): string =>
  runProgram('pdftotext', ['-q', '-', '-'], bytes).replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')

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
