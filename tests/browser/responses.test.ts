import { expect, test } from 'vitest'
import { translate } from '../../src/locales.ts'
import { anArticle } from '../support/articles.ts'
import { aPage, fits, lightOf, listViolations, phone } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb } from '../support/web.ts'

const shots = process.env['SCREENSHOTS']

test.each(['fr', 'ar', 'en'] as const)(
  'a response in %s is written, confirmed and let through by keys, on a phone: no axe violation, nothing cut off',
  async (language) => {
    let at = Date.now()
    const web = await aWeb({ now: () => new Date(at) })
    const { services, database } = web.context
    await services.publication.set({ languages: [language], responses: 'on' }, { kind: 'cli', role: 'admin' })
    const title = { fr: 'Le bac reprend', ar: 'العبّارة تعود', en: 'The ferry is back' }[language]
    await anArticle(database, { slug: 'port', language, title, responses: 'open' })
    const desk = await signedIn(web, 'editor')
    await desk.post('/settings/language', { language })
    const page = await aPage({ ...phone, colorScheme: lightOf(language) })
    const [name = '', value = ''] = desk.cookie.split('=')
    await page.context().addCookies([{ name, value, url: web.origin }])
    const look = async (text: string) => {
      await expect.soft(page.textContent('body')).resolves.toContain(translate(language, text))
      if (shots) await page.screenshot({ path: `${shots}/${language}-${text}.png`, fullPage: true })
      expect(await fits(page), text).toBe(true)
      expect(await listViolations(page), text).toEqual([])
    }
    const press = async (button: string) => {
      at += 3_000
      const loaded = page.waitForEvent('load')
      await page.click(button)
      await loaded
    }
    const write = async (n: number, email: string) => {
      await page.fill('#respond-name', `Amina ${n}`)
      await page.fill('#respond-email', email)
      await page.fill('#respond-text', `Bien dit ${n}.`)
      await press('#respond button')
    }
    await page.goto(`${web.origin}/articles/port`)
    await look('site.respond.text')
    await page.evaluate('document.querySelector("#respond").noValidate = true')
    await write(0, 'nobody')
    await look('site.respond.fault.email')
    for (const n of [1, 2, 3]) {
      await page.goto(`${web.origin}/articles/port`)
      await write(n, `reader-${n}@reader.example`)
      if (n === 1) await look('site.respond.sent_lead')
      const [row] = await rowsOf<{ id: number }>(web, 'select max(id) as id from written_responses')
      await page.goto(services.subscriptionLinks.responseUrl(row?.id ?? 0))
      if (n === 1) await look('site.respond.open_lead')
      await press('main button')
      if (n === 1) await look('site.respond.confirmed_lead')
    }
    await page.goto(`${web.origin}/desk/responses`)
    await look('desk.responses.keys')
    await page.waitForFunction('document.activeElement.matches(".written")')
    for (const [key, next] of [
      ['a', '2'],
      ['r', '1'],
    ] as const) {
      const loaded = page.waitForEvent('load')
      await page.keyboard.press(key)
      await loaded
      // The browser moves the focus with the first picture of the page, which may come after its load.
      await page.waitForFunction('document.activeElement.matches(".written")')
      expect(await page.evaluate('document.activeElement.querySelector("h2").textContent')).toBe(
        `Amina ${next}`,
      )
    }
    await look('desk.responses.done.refused')
    const states = await rowsOf<{ state: string }>(web, 'select state from written_responses order by id')
    expect(states.map(({ state }) => state)).toEqual(['held', 'refused', 'published'])
    await page.goto(`${web.origin}/articles/port`)
    await look('site.respond.title')
    expect(page.faults.filter((fault) => !fault.includes('422'))).toEqual([])
  },
)
