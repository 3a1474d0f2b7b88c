import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'

const read = (file: string) => readFileSync(file, 'utf8')
const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/**/*.md')]
/** Places whose files a document names in full. */
const isPath = /^(?:src|workers|tests|templates|docs|bin)\/[\w./-]*$/

test('every file and folder that a document names is there', () => {
  const named = documents.flatMap((document) =>
    [...read(document).matchAll(/`([^`\s]+)`/g)]
      .map(([, path = '']) => path)
      .filter((path) => isPath.test(path))
      .map((path) => ({ document, path })),
  )
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter(({ path }) => !existsSync(path))).toEqual([])
})

test('every command that a document names is there', async () => {
  const program = new Command()
  for (const file of globSync('src/cli/*.ts')) {
    const [, name] = /^export function (\w+Command)\(program/m.exec(read(file)) ?? []
    if (name === undefined) continue
    const commands = (await import(resolve(file))) as Record<string, (program: Command) => void>
    commands[name]?.(program)
  }
  const known = new Map(program.commands.map((command) => [command.name(), command.commands]))
  const named = documents.flatMap((document) =>
    [...read(document).matchAll(/(?:`|bin\/|npx )depeche ([a-z]+)(?: ([a-z][a-z-]+))?/g)].map(
      ([, group = '', name]) => ({ document, group, name }),
    ),
  )
  expect(named.length).toBeGreaterThan(30)
  const isThere = ({ group, name }: (typeof named)[number]) => {
    const commands = known.get(group)
    return commands?.length === 0 || commands?.some((one) => name === undefined || one.name() === name)
  }
  expect(named.filter((one) => !isThere(one))).toEqual([])
})

test('every link of a document to another leads to it, and to a heading of it', () => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]+))?\)/g)].flatMap(
      ([, to = '', anchor]) => {
        const target = to === '' ? document : join(dirname(document), to)
        if (!existsSync(target)) return [`${document}: ${to}`]
        if (anchor === undefined) return []
        const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => slug(heading))
        return headings.includes(anchor) ? [] : [`${document}: ${to}#${anchor}`]
      },
    ),
  )
  expect(broken).toEqual([])
})

test('a decision has a number, a status with its date, and its line in the index', () => {
  const records = globSync('docs/decisions/0*.md').sort()
  const lines = records.map((file) => {
    const [heading = '', , status = ''] = read(file).split('\n')
    const name = file.replace('docs/decisions/', '')
    const [, number, title] = /^# (\d{4}) (.+)$/.exec(heading) ?? []
    expect([file, number]).toEqual([file, name.slice(0, 4)])
    expect([file, status]).toEqual([
      file,
      expect.stringMatching(/^(?:Accepted|Superseded by \[\d{4}\]\(.+\)), \d{4}-\d{2}-\d{2}\.$/),
    ])
    return `| [${number ?? ''}](${name}) | ${title ?? ''} | ${status.slice(-11, -1)} |`
  })
  const index = read('docs/decisions/README.md').split('\n')
  expect(index.filter((line) => line.startsWith('| ['))).toEqual(lines)
})
