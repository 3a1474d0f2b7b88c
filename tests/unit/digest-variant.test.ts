import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrange, type Candidate } from '../../src/domain/digests/digest-content.ts'
import { contentFor, listStrayQuotes, withoutArticles } from '../../src/domain/digests/digest-variant.ts'
import type { FrozenArticle, FrozenDigest } from '../../src/domain/digests/frozen-digest.ts'
import type { Block } from '../../src/domain/newsletter.ts'
import { isQuotedIn } from '../../src/domain/digests/quote.ts'
import { escapeHtml } from '../../src/mail/compose/templates.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { mail } from '../support/written-mail.ts'

const site = { language: 'fr', publicUrl: 'https://news.example.org' }
const slugs = ['sport', 'culture', 'monde'] as const

const aCandidate = (id: number, sections: readonly string[]): Candidate => ({
  id,
  externalId: `t:${id}`,
  slug: `s-${id}`,
  canonicalUrl: undefined,
  links: 'here',
  title: `Titre ${id}`,
  shortCode: `c${id}`,
  deck: '',
  summary: '',
  language: 'fr',
  picture: undefined,
  publishedAt: new Date(0),
  selections: sections.map((slug, n) => ({ id: n, kind: 'section', slug, names: {}, descriptions: {} })),
})

/** With a lead, two sections and a story of no block, called like its first. */
function aDigest(overrides: Parameters<typeof aFrozenDigest>[0] = {}): FrozenDigest {
  const base = aFrozenDigest({ subjectFrom: 'headline', ...overrides })
  const [lead, news, culture] = base.blocks
  if (!lead || !news || !culture) throw new Error('a digest has three blocks')
  return {
    ...base,
    ...(base.subjectFrom === 'headline' && { subject: base.articles[0]?.title ?? '' }),
    blocks: [lead, { ...news, articleIds: [2] }, culture, { kind: 'articles', title: '', articleIds: [3] }],
  }
}
const titleOf = (digest: FrozenDigest, id: number) =>
  digest.articles.find((one) => one.id === id)?.title ?? ''
const toFrozen = ({ id, title }: Candidate): FrozenArticle => ({
  id,
  title,
  summary: '',
  url: `https://news.example.org/articles/s-${id}`,
  language: 'fr',
  byline: '',
  sectionNames: [],
  publishedAt: new Date(0).toISOString(),
})
const gone = (...ids: number[]) => ids.map((id) => ({ id, slug: `fr-${id}` }))

test('a variant is arranged as if its articles were the only ones, whatever the blocks', () => {
  const block = fc.constantFrom<Block>(
    { kind: 'lead' },
    ...slugs.map((slug) => ({ kind: 'section', slug }) as const),
  )
  const story = fc.record({ sections: fc.subarray([...slugs]), isKept: fc.boolean() })
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), fc.array(story, { maxLength: 8 }), (blocks, stories) => {
      const all = stories.map(({ sections }, id) => aCandidate(id, sections))
      const kept = all.filter((_, index) => stories[index]?.isKept)
      const whole = aFrozenDigest({
        subjectFrom: 'headline',
        blocks: arrange(blocks, all, site),
        articles: all.map(toFrozen),
      })
      const variant = contentFor(
        whole,
        kept.map(({ id }) => id),
      )
      const left = variant.blocks.filter(({ articleIds }) => articleIds.length > 0)
      expect(left.map(({ kind, articleIds }) => [kind, articleIds])).toEqual(
        arrange(blocks, kept, site).map(({ kind, articleIds }) => [kind, articleIds]),
      )
      if (kept.length < all.length) {
        expect(variant.subject).toBe(kept[0]?.title ?? whole.newsletter.name)
      }
    }),
  )
})

test.each(['fr', 'ar', 'en'] as const)(
  'each variant in %s has a subject, a preview line and a lead of its own stories',
  async (language) => {
    const digest = aDigest({ language, more: { count: 7, url: 'https://news.example.org/fr' } })
    const parts = await mail.composeDigest(digest)
    for (const ids of [[1, 2, 3, 4], [2, 3, 4], [3, 4], [4], [2, 3], [3]]) {
      const { subject, html, text } = mail.previewVariant(parts, ids)
      expect(subject).toBe(titleOf(digest, ids[0] ?? 0))
      expect(html.match(/class="lead-title"/g)).toHaveLength(1)
      expect(html).toContain(`<title>${escapeHtml(subject)}</title>`)
      for (const { id, title } of digest.articles) expect(text.includes(title), title).toBe(ids.includes(id))
      const preheader = /mso-hide:all">([^<]*)</.exec(html)?.[1] ?? ''
      for (const id of [1, 2, 3, 4].filter((each) => !ids.includes(each)))
        expect(preheader).not.toContain(titleOf(digest, id).slice(0, 12))
      // How many more there are is known of the whole digest alone.
      expect(/\b7\b/.test(text)).toBe(ids.length === 4)
    }
  },
)

test('stories of no block stand under a heading of their own, below another heading alone', async () => {
  for (const [language, also] of [
    ['fr', 'À lire aussi'],
    ['ar', 'اقرؤوا أيضًا'],
    ['en', 'Also'],
  ] as const) {
    const digest = aDigest({ language })
    const parts = await mail.composeDigest(digest)
    const { html, text } = mail.previewVariant(parts)
    expect(text).toContain(`\n== ${also} ==\n\n${titleOf(digest, 3)}\n`)
    expect(html).toContain(`${also}</h2>`)
    expect(mail.renderWeb(parts).html).toContain(`${also}</h2>`)
    for (const ids of [[1, 3], [3]])
      expect(mail.previewVariant(parts, ids).text).not.toContain(`== ${also} ==`)
    await expect(text).toMatchFileSnapshot(`../fixtures/mail/variant-${language}.txt`)
  }
})

test('a digest that was frozen before variants had leads of their own goes out as it was', async () => {
  const { subjectFrom: _, ...digest } = aDigest()
  const parts = await mail.composeDigest(digest)
  const { subject, html, text } = mail.previewVariant(parts, [2, 3])
  expect(subject).toBe(titleOf(digest, 1))
  expect(text).not.toContain('À lire aussi')
  expect(text).toContain('Encore 7 articles')
  // What came first was set large, under its heading.
  expect(html).toMatch(/Évènement<\/a><\/h2>[^]*lead-title/)
})

test('words of the editor’s own stay, and the desk knows for how many readers they do not hold', async () => {
  const digest = aDigest({
    subjectFrom: 'editor',
    subject: 'Lundi : le tramway arrivera au port',
    preheader: 'Rien de spécial',
    intro: 'Bonjour.\n\nUne école d’horlogerie rouvre, enfin.',
  })
  const { subject } = mail.previewVariant(await mail.composeDigest(digest), [2, 3])
  expect(subject).toBe('Lundi : le tramway arrivera au port')
  const variants = [
    { articleIds: [1, 2, 3, 4], readers: 10 },
    { articleIds: [2, 3], readers: 4 },
    { articleIds: [1, 4], readers: 3 },
  ]
  const stray = listStrayQuotes(digest, variants)
  expect(stray.map(({ text, articleId, readers }) => [text, articleId, readers])).toEqual([
    ['subject', 1, 4],
    ['intro', 2, 3],
  ])
  expect(listStrayQuotes(aDigest(), variants)).toEqual([])
})

test('a withdrawn story leaves the subject, the preview line, the words, the most read and the lead', () => {
  const digest = aDigest({
    subjectFrom: 'editor',
    subject: 'Lundi : le tramway arrivera au port',
    preheader: 'Le tramway arrivera en mai',
    intro: 'Bonjour.\n\nLe tramway arrivera, oui.\n\nBonne lecture.',
    mostRead: [
      { id: 1, title: 'Le tramway arrivera', url: 'https://elsewhere.example/1' },
      { title: 'Ancien', url: 'https://news.example.org/articles/fr-9' },
      { id: 8, title: 'Autre', url: 'https://news.example.org/articles/fr-8' },
    ],
  })
  const left = withoutArticles(digest, gone(1, 9))
  expect(left).toMatchObject({ subject: 'Le Matin · 23 novembre 2026', intro: 'Bonjour.\n\nBonne lecture.' })
  expect(left.preheader).toBeUndefined()
  expect(left.mostRead.map(({ title }) => title)).toEqual(['Autre'])
  expect(left.blocks[0]).toEqual({ kind: 'lead', title: '', articleIds: [2] })
  // Another story's withdrawal leaves them alone.
  expect(withoutArticles(digest, gone(4))).toMatchObject({ subject: digest.subject, intro: digest.intro })
  expect(withoutArticles(digest, gone(77))).toBe(digest)
  // Called like its first story, by the rule or before the rule was written down: like the next.
  const { subjectFrom: _, ...old } = aDigest()
  for (const called of [aDigest(), old]) {
    expect(withoutArticles(called, gone(1)).subject).toBe(titleOf(digest, 2))
    expect(JSON.stringify(withoutArticles(called, gone(1, 2, 3, 4)))).not.toContain('tramway')
  }
})

test('a text quotes a headline with the whole of it, or with three telling words in a row', () => {
  for (const [text, headline, isQuoted] of [
    ['Le phare rallumé, et le reste', 'Dernière minute : le phare rallumé', true],
    ['LE PHARE RALLUME !', 'Dernière minute : le phare rallumé', true],
    ['Le phare, rallumé hier', 'Le phare sera rallumé', false],
    ['La météo du jour', 'Météo', true],
    ['Les météores', 'Météo', false],
    ['Au cœur de la ville', 'Le maire de la ville démissionne', false],
    ['اليوم: عَوْدَة الفقمة إلى الخليج', 'عودة الفقمة إلى خليج المرسى', true],
    ['اليوم في الخليج', 'عودة الفقمة إلى الخليج', false],
    ['', 'Titre', false],
    ['Titre', '…', false],
  ] as const) {
    expect(isQuotedIn(text, headline), `${text} / ${headline}`).toBe(isQuoted)
  }
})
