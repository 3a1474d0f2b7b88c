import { expect, test } from 'vitest'
import { translate } from '../../src/locales.ts'
import { aPage, desktop, type BrowserPage } from '../support/browser.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { activationPath } from '../support/readers.ts'
import { aWeb } from '../support/web.ts'

const email = 'amina@reader.example'

interface Stop {
  isThere: boolean
  name: string
  isSeen: boolean
  top: number
  middle: number
  bottom: number
  /** From the side where the page's lines begin. */
  start: number
}

const stopAt = (page: BrowserPage, selector: string) =>
  page.evaluate<Stop>(`(() => {
    const at = document.activeElement
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at)
    const { top, bottom, left, right } = at.getBoundingClientRect()
    const isMirrored = document.documentElement.dir === 'rtl'
    return {
      isThere: at.matches(${JSON.stringify(selector)}),
      name: at.outerHTML.slice(0, 80),
      isSeen: (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none',
      top: top + scrollY,
      middle: (top + bottom) / 2 + scrollY,
      bottom: bottom + scrollY,
      start: isMirrored ? -right : left,
    }
  })()`)

/** Tabs there; every stop on the way is seen, and comes after the one before as the page is read. */
async function tabTo(page: BrowserPage, selector: string): Promise<void> {
  let before: Stop | undefined
  for (let n = 0; n < 60; n += 1) {
    await page.keyboard.press('Tab')
    const stop = await stopAt(page, selector)
    expect(stop.isSeen, `the focus is seen on ${stop.name}`).toBe(true)
    const { bottom = 0, top = 0, start = 0 } = before ?? {}
    const isAfter = stop.middle >= bottom || (stop.middle > top && stop.start >= start)
    expect(isAfter, `${stop.name} is read after ${before?.name ?? 'nothing'}`).toBe(true)
    if (stop.isThere) return
    before = stop
  }
  throw new Error(`the Tab key never comes to ${selector}`)
}

/** Tabs to it, presses Enter and waits for the page that comes. */
async function enter(page: BrowserPage, selector: string): Promise<void> {
  await tabTo(page, selector)
  const loaded = page.waitForEvent('load')
  await page.keyboard.press('Enter')
  await loaded
}

async function aNewsroom(language: string) {
  let at = Date.now()
  const web = await aWeb({ now: () => new Date(at) })
  const cadences = [
    { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
    { cadence: 'weekly', weekday: 5, time: '07:00', zone: 'Africa/Algiers' },
    { cadence: 'alert' },
  ] as const
  const newsletter = await aNewsletter(web.context.database, { language, cadences: [...cadences] })
  return { web, newsletter, wait: (ms: number) => (at += ms) }
}

test.each([
  ['fr', false],
  ['ar', true],
] as const)(
  'a reader’s whole life by keyboard alone, in %s, JavaScript %s',
  async (language, javaScriptEnabled) => {
    const { web, newsletter, wait } = await aNewsroom(language)
    const { services, database } = web.context
    const page = await aPage({ ...desktop, javaScriptEnabled, locale: language, reducedMotion: 'reduce' })
    const reads = async (text: string) => {
      const sentence = translate(language, `subscribe.${text}`, { name: newsletter.name })
      expect(await page.textContent('main')).toContain(sentence)
    }
    await page.goto(`${web.origin}/${language}/subscribe`)
    await tabTo(page, '#email')
    await page.keyboard.type(email)
    await tabTo(page, '[name=cadence]')
    await tabTo(page, '[name=alerts]')
    await page.keyboard.press('Space')
    await enter(page, 'main button')
    await reads('sent.lead')

    await services.signupDecisions.decideAll()
    // On another device: the button is needed.
    await page.context().clearCookies()
    await page.goto(web.origin + (await activationPath(web, email)))
    wait(2_000)
    await enter(page, '[value=activate]')
    await reads('activate.done_lead')

    await enter(page, 'main a[href*="/preferences/"]')
    await tabTo(page, 'select[name^=cadence]')
    await page.keyboard.press('ArrowDown')
    await enter(page, '[value=save]')
    await reads('preferences.saved')
    const subscriber = await database.stores.subscribers.findByAddress(email)
    const subscriberId = subscriber?.id ?? 0
    expect(await database.stores.subscriptions.list(subscriberId)).toMatchObject([
      { state: 'active', cadence: 'weekly', alerts: true },
    ])

    const links = services.subscriptionLinks
    await page.goto(links.unsubscribeUrl({ subscriberId, newsletterId: newsletter.id, digestId: 1 }))
    await enter(page, '[value=unsubscribe]')
    await reads('leave.done_lead')
    await enter(page, '[value=undo]')
    await reads('leave.undone')

    await page.goto(links.freshPreferencesUrl(subscriberId))
    await tabTo(page, 'details.grave summary')
    await page.keyboard.press('Enter')
    await enter(page, '[value=erase]')
    await reads('preferences.erased_lead')
    expect((await database.stores.subscribers.find(subscriberId))?.address).toBeNull()
    expect(page.faults).toEqual([])
  },
)
