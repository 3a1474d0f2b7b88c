import { expect, test } from 'vitest'
import { aPage } from '../support/browser.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { mail } from '../support/written-mail.ts'

/** Headlines and decks as long as a newspaper's are. */
const words = {
  fr: [
    'Une école d’horlogerie rouvre après quarante ans d’absence',
    'Vingt-quatre élèves apprendront à réparer les pendules publiques de la région, dont celle du port et de la gare.',
  ],
  ar: [
    'مدرسة لصناعة الساعات تفتح أبوابها بعد أربعين سنة',
    'يتعلّم أربعة وعشرون تلميذًا إصلاح الساعات العمومية في المنطقة، ومنها ساعة الميناء وساعة المحطة القديمة.',
  ],
} as const

async function elevenStories(language: 'fr' | 'ar') {
  const base = aFrozenDigest({ language })
  const [lead, section, other] = base.blocks
  const [first] = base.articles
  if (!lead || !section || !other || !first) throw new Error('a digest has three blocks')
  const [title, summary] = words[language]
  const articles = Array.from({ length: 11 }, (_, n) => ({ ...first, id: n + 1, title, summary }))
  const blocks = [lead, { ...section, articleIds: [2, 3, 4] }, { ...other, articleIds: [5, 6, 7] }]
  const rest = { kind: 'articles' as const, title: '', articleIds: [8, 9, 10, 11] }
  const only = { intro: '', mostRead: [], subjectFrom: 'editor' as const }
  const frozen = { ...base, ...only, articles, blocks: [...blocks, rest] }
  const { html } = mail.previewVariant(await mail.composeDigest(frozen))
  return html
}

/** As some mail programs show it: without what a narrow screen would change. */
const withoutMediaQueries = (html: string) =>
  html.replaceAll('@media (max-width', '@media (max-width:0) and (x')

test.each(['fr', 'ar'] as const)(
  'R-7 eleven stories are short on a phone, pictures beside their headlines, with media queries or without: %s',
  async (language) => {
    const page = await aPage({ viewport: { width: 360, height: 740 } })
    const html = await elevenStories(language)
    for (const [shown, most] of [
      [html, 3_000],
      [withoutMediaQueries(html), 4_200],
    ] as const) {
      await page.setContent(shown)
      expect(await page.evaluate<number>('document.documentElement.scrollHeight')).toBeLessThan(most)
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360)
      const headlines = await page.locator('.story h3').all()
      expect(headlines).toHaveLength(10)
      for (const [index, headline] of headlines.entries()) {
        const words = await headline.boundingBox()
        const picture = await page.locator('.story td img').nth(index).boundingBox()
        if (!words || !picture) throw new Error('a story has a headline and a picture')
        expect(Math.abs(picture.y - words.y)).toBeLessThan(12)
        const isAfter = language === 'ar' ? picture.x < words.x : picture.x > words.x
        expect(isAfter).toBe(true)
        expect(picture.width).toBeGreaterThan(60)
      }
    }
    await page.close()
  },
)
