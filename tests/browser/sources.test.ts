import { expect, test } from 'vitest'
import { aPage, desktop, fitsEverywhere, lightOf, listViolations, phone } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aFollowedSite } from '../support/sources.ts'
import { aWordpress, type FakeWordpress } from '../support/wordpress.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const shots = process.env['SCREENSHOTS']
const longWord = `${'Anticonstitutionnellement'.repeat(3)} : le port vote`

/** In three languages, of which the publication has two. */
function fill(wordpress: FakeWordpress): void {
  wordpress.languages = [
    { slug: 'fr', w3c: 'fr-FR', path: '/' },
    { slug: 'ar', w3c: 'ar', path: '/ar/' },
    { slug: 'en', w3c: 'en-US', path: '/en/' },
  ]
  const culture = { slug: 'culture', name: 'ثقافة' }
  for (const post of [
    { title: 'Le phare de Port-Clair se rallume' },
    { title: longWord },
    { title: 'Un marché couvert pour le dimanche' },
    { title: 'The ferry sails again', prefix: '/en' },
    { title: 'Réservé aux abonnés', password: 'secret' },
    { title: 'معرض الكتاب يفتح أبوابه غدا', prefix: '/ar', category: culture },
    { title: 'Le bac de midi ne part plus le lundi' },
  ]) {
    wordpress.later(1_800)
    wordpress.add(post)
  }
}

test.for([
  ['fr', 'desktop'],
  ['ar', 'phone'],
] as const)(
  'SRC-9 from an address to its articles, and what is gone, in %s on a %s: axe finds nothing, nothing is too wide',
  async ([language, device]) => {
    const site = await aFollowedSite({ prepare: fill })
    const { wordpress, sourceId, context } = site
    const { sources, articles } = context.services
    const desk = await signedIn(site, 'admin')
    await desk.post('/settings/language', { language })
    const page = await aPage({ ...{ phone, desktop }[device], colorScheme: lightOf(language) })
    const [cookie = '', value = ''] = desk.cookie.split('=')
    await page.context().addCookies([{ name: cookie, value, url: site.origin }])
    const inspect = async (name: string) => {
      if (shots) await page.screenshot({ path: `${shots}/source-${name}-${language}.png`, fullPage: true })
      expect(await listViolations(page), name).toEqual([])
      expect(await fitsEverywhere(page), name).toBe(true)
      expect(await page.locator('html').getAttribute('dir')).toBe(language === 'ar' ? 'rtl' : 'ltr')
      // A key that has no text shows itself.
      expect(await page.locator('main').innerText(), name).not.toMatch(
        /desk\.|\b(?:undefined|null|NaN)\b|\[object/,
      )
    }
    const open = async (name: string) => {
      await page.goto(`${site.origin}/desk/sources/${sourceId}`)
      await inspect(name)
    }

    const another = await aWordpress()
    fill(another)
    await page.goto(`${site.origin}/desk/sources`)
    await inspect('list')
    await page.locator('input[name=address]').fill(another.home)
    await page.keyboard.press('Enter')
    await page.locator('form[action="/desk/sources"]').waitFor()
    expect(await page.locator('tbody tr').count()).toBe(5)
    await inspect('preview')
    await open('following')

    // One is corrected here, one is gone and withdrawn, and then another two.
    const [first] = await site.sql<{ external_id: string }>('select external_id from articles order by id')
    await articles.put(first?.external_id ?? '', { title: 'Le phare', html: '<p>Ici.</p>', language: 'fr' })
    wordpress.turn(7, 'trash')
    await site.look()
    await site.waitAMinute()
    await site.look({ isRung: true })
    for (const id of [2, 3]) wordpress.turn(id, 'trash')
    await site.look()
    await site.waitAMinute()
    expect(await site.look()).toMatchObject({
      state: 'needs-person',
      counts: { missing: 2, withdrawn: 1, held: 1, skipped: 2 },
    })
    await open('question')
    wordpress.mood = 'closed'
    await sources.answer(sourceId, 'keep', cli)
    for (let n = 0; n < 3; n += 1) await site.look()
    await open('closed')
    await sources.pause(sourceId, cli)
    await open('paused')
    expect(page.faults).toEqual([])
  },
)
