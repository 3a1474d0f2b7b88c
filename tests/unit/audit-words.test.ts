import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { listKeys } from '../../src/locales.ts'

test('whatever is written into the log has words on the desk', () => {
  const services = readdirSync('src/services', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  const written = services.flatMap((name) =>
    [
      ...readFileSync(`src/services/${name}`, 'utf8').matchAll(
        /(?:insert|change|decide)\(\s*[^'()]*'([a-z]+\.[a-z_-]+)'/g,
      ),
    ].map(([, action = '']) => action),
  )
  expect(new Set(written).size).toBeGreaterThan(30)
  const words = new Set(listKeys('en'))
  expect([...new Set(written)].filter((action) => !words.has(`desk.audit.actions.${action}`))).toEqual([])
})
