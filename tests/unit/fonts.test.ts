import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { assetUrl } from '../../src/http/assets.ts'

const { resolve } = createRequire(import.meta.url)
const folder = new URL('../../templates/assets/fonts/', import.meta.url)
const packages = {
  'source-serif-4': '@fontsource-variable/source-serif-4',
  'noto-naskh-arabic': '@fontsource/noto-naskh-arabic',
}

test('the faces are their packages’ files with their licence, each within 80 kB', () => {
  for (const [name, origin] of Object.entries(packages)) {
    const files = readdirSync(folder).filter((file) => file.startsWith(name))
    expect(files).toContain(`${name}.LICENSE`)
    for (const file of files) {
      const there = file.endsWith('.LICENSE') ? 'LICENSE' : `files/${file}`
      expect(
        readFileSync(new URL(file, folder)).equals(readFileSync(resolve(`${origin}/${there}`))),
        file,
      ).toBe(true)
      expect(statSync(new URL(file, folder)).size, file).toBeLessThanOrEqual(80 * 1024)
    }
  }
})

test('the style sheet names each face under the address that browsers may keep for ever', () => {
  const css = readFileSync(new URL('../fonts.css', folder), 'utf8')
  const named = [...css.matchAll(/url\('([^']+)'\)/g)].map(([, url]) => `/assets/${url ?? ''}`)
  const files = readdirSync(folder).filter((file) => file.endsWith('.woff2'))
  expect(named.sort()).toEqual(files.map((file) => assetUrl(`fonts/${file}`)).sort())
})
