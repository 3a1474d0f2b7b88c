import { readFileSync, globSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RegExpParser, type AST } from '@eslint-community/regexpp'
import ts from 'typescript'

/**
 * Times every regular expression of src and workers on texts made against it: what strangers write may be as long as it
 * likes, and one that goes back over it for each of its letters holds a process for minutes. What eslint-plugin-regexp
 * can prove it refuses in `npm run check:lint`; this tries the rest.
 */

interface Found {
  place: string
  pattern: RegExp
}

/** @returns a sentence for each that is slow */
export function listSlow(found: Found[]): string[] {
  return found.flatMap(({ place, pattern }) => {
    const text = attacksOn(pattern).find((attack) => isSlow(pattern, attack))
    return text ? [`${place}: ${pattern} takes long for ${JSON.stringify(text(60))}…, repeated`] : []
  })
}

/** Of about so many characters. */
type Attack = (length: number) => string

const lengths = { first: [24, 26, 30, 40, 80, 240, 2_400], quarter: 15_000, longest: 60_000 }
/** Of each of these, a linear one takes some milliseconds; a busy machine makes no hundred of them. */
const patienceMs = 100

/** From short to long: an exponential one would never come back from the longest. */
function isSlow(pattern: RegExp, attack: Attack): boolean {
  const isLong = (length: number) => timeOf(pattern, attack(length)) > patienceMs
  if (lengths.first.some(isLong) || isLong(lengths.quarter)) return true
  // Four times the length takes four times as long, or sixteen.
  const longest = timeOf(pattern, attack(lengths.longest))
  return longest > 2 * patienceMs && longest > 8 * timeOf(pattern, attack(lengths.quarter))
}

/** In milliseconds of this process alone; the better of two where the first may have been held up. */
function timeOf(pattern: RegExp, text: string): number {
  const first = timeOnce(pattern, text)
  return first > patienceMs && first < 5 * patienceMs ? Math.min(first, timeOnce(pattern, text)) : first
}

function timeOnce(pattern: RegExp, text: string): number {
  const start = process.cpuUsage()
  pattern.lastIndex = 0
  if (pattern.global) text.replace(pattern, '')
  else pattern.exec(text)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}

const fill = (unit: string, length: number) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

/** Each part that may be repeated, after what must stand before it, again and again, with an end that fits nothing. */
function attacksOn(pattern: RegExp): Attack[] {
  const { source, flags } = pattern
  const letters = [...new Set(['a', '1', ' ', '<', '\n', 'é', ...Array.from(source)])]
  const fits = (raw: string) => {
    const one = new RegExp(`^(?:${raw})$`, flags.replace(/[gy]/g, ''))
    return letters.filter((letter) => one.test(letter))
  }
  const parser = new RegExpParser()
  const mode = { unicode: flags.includes('u'), unicodeSets: flags.includes('v') }
  const { alternatives } = parser.parsePattern(source, 0, source.length, mode)
  const pumps: { before: string; units: string[] }[] = []

  const walk = (alternative: AST.Alternative, before: string): string =>
    alternative.elements.reduce((sofar, element) => sofar + visit(element, before + sofar), '')
  const walkAll = (list: AST.Alternative[], before: string): string =>
    list.map((one) => walk(one, before))[0] ?? ''
  const visit = (node: AST.Element, before: string): string => {
    switch (node.type) {
      case 'Character':
        return String.fromCodePoint(node.value)
      case 'CharacterClass':
      case 'CharacterSet':
        return fits(node.raw)[0] ?? ''
      case 'Group':
      case 'CapturingGroup':
        return walkAll(node.alternatives, before)
      case 'Assertion':
        if ('alternatives' in node) walkAll(node.alternatives, before)
        return ''
      case 'Quantifier': {
        const sample = visit(node.element, before)
        if (node.max > 100) {
          const isOne = node.element.type === 'CharacterClass' || node.element.type === 'CharacterSet'
          pumps.push({ before, units: isOne ? fits(node.element.raw).slice(0, 6) : [sample] })
        }
        return sample.repeat(node.min)
      }
      default:
        return ''
    }
  }
  const whole = walkAll(alternatives, '')
  const ends = ['', '\u0000', '\n\u0000']
  const attacks = pumps.flatMap(({ before, units }) =>
    units.flatMap((unit) => [
      { before, unit },
      { before: '', unit: before + unit },
      { before: '', unit: before },
    ]),
  )
  const all = [...attacks, { before: '', unit: whole }, { before: '', unit: whole.slice(0, -1) }]
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()]
    .filter(({ unit }) => unit !== '')
    .flatMap(({ before, unit }) =>
      ends.map(
        (end): Attack =>
          (length) =>
            before + fill(unit, length) + end,
      ),
    )
}

/** Literals where they stand; what is put together, by loading its file with a constructor that takes note. */
async function findAll(): Promise<Found[]> {
  const found: Found[] = []
  const assembled = new Set<string>()
  for (const file of globSync('{src,workers}/**/*.ts')) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const [, text = '', flags] = /^\/(.*)\/(\w*)$/s.exec(node.text) ?? []
        const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
        found.push({ place: `${file}:${line}`, pattern: new RegExp(text, flags) })
      }
      if (ts.isNewExpression(node) && node.expression.getText(source) === 'RegExp') assembled.add(file)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  const plain = globalThis.RegExp
  for (const file of assembled) {
    globalThis.RegExp = new Proxy(plain, {
      construct(target, given, newTarget) {
        const pattern = Reflect.construct(target, given, newTarget) as RegExp
        found.push({ place: file, pattern })
        return pattern
      },
    })
    try {
      await import(pathToFileURL(resolve(file)).href)
    } finally {
      globalThis.RegExp = plain
    }
  }
  return found
}

if (process.argv[1] === import.meta.filename) {
  const found = await findAll()
  const slow = listSlow(found)
  console.log(slow.length > 0 ? slow.join('\n') : `${found.length} regular expressions, none slow`)
  process.exitCode = slow.length > 0 ? 1 : 0
}
