import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Rule {
  name: string
  from: { path: string }
  to: { pathNot?: string | string[] }
}

const config = new URL('../../.dependency-cruiser.js', import.meta.url).href
const { default: layers } = (await import(config)) as { default: { forbidden: Rule[] } }

const document = readFileSync('docs/architecture.md', 'utf8')

/** `store/` of `^src/store/`, `queue/bullmq` of `^src/queue/bullmq\.ts$`. */
const nameOf = (pattern: string) => pattern.replace(/^\^src\//, '').replace(/\/$|\\\.ts\$$/, '')
const quoted = (text = '') => [...text.matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name)

test('docs/architecture.md tells of each folder what the check of layers lets it reach', () => {
  const told = new Map(
    [...document.matchAll(/^\| `(?:src\/)?(\w+)` \|.*\| ([^|]*) \|$/gm)].map(
      ([, folder = '', reach = '']) => [folder, quoted(reach).sort()],
    ),
  )
  const held = layers.forbidden.flatMap(({ name, from, to }) => {
    const folder = /^layer-(\w+)$/.exec(name)?.[1]
    const reach = [to.pathNot ?? []].flat()
    return folder
      ? [
          [
            folder,
            reach
              .filter((one) => one !== from.path)
              .map(nameOf)
              .sort(),
          ] as const,
        ]
      : []
  })
  expect(held.length).toBeGreaterThan(12)
  for (const [folder, reach] of held) expect([folder, told.get(folder)]).toEqual([folder, reach])
})
