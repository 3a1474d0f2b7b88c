import { expect, test } from 'vitest'
import { slugOf } from '../../src/domain/articles/slug.ts'

test.each([
  ['Événement à la Une : l’œuvre', 'evenement-a-la-une-l-oeuvre'],
  ['الميناء يُفتح أبوابه', 'الميناء-يفتح-أبوابه'],
  ['جـمـيـل ١٢', 'جميل-١٢'],
  ['<script>{{7*7}}', 'script-7-7'],
  ['…', ''],
  ['../../etc/passwd', 'etc-passwd'],
])('%s → %s', (text, slug) => {
  expect(slugOf(text)).toBe(slug)
})

test('a long title is cut between words, at most 80 characters', () => {
  const slug = slugOf('le phare de port clair '.repeat(20))
  expect(slug.length).toBeLessThanOrEqual(80)
  expect(slug).toMatch(/^[a-z-]+[a-z]$/)
  expect(slugOf('a'.repeat(200))).toHaveLength(80)
})
