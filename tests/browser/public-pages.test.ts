import { expect, test } from 'vitest'
import { seedSampleNewsroom } from '../../src/embedded/sample/seed.ts'
import { translate } from '../../src/locales.ts'
import { anArticle } from '../support/articles.ts'
import { aPage, lightOf, listViolations, type BrowserPage } from '../support/browser.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { activationPath } from '../support/readers.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const shots = process.env['SCREENSHOTS']
const zone = 'Africa/Algiers'
const languages = ['fr', 'ar', 'en']
type Language = 'fr' | 'ar' | 'en'

/** The sample newsroom in three languages, with one newsletter of the language; its clock stands still. */
async function aNewsroom(language: Language) {
  let at = Date.now()
  const web = await aWeb({ env: { MAILBOX_URL: 'http://localhost:8025/' }, now: () => new Date(at) })
  const { services, database } = web.context
  await seedSampleNewsroom(web.context)
  await services.publication.set({ languages }, cli)
  // An hour old by the newsroom's own clock, which stands still.
  const firstPublicAt = new Date(at - 3_600_000)
  const { slug: article } = await anArticle(database, { language, title: 'Port-Clair', firstPublicAt })
  const newsletter = await aNewsletter(database, {
    slug: 'port-clair',
    name: 'Port-Clair',
    language,
    cadences: [
      { cadence: 'daily', time: '07:00', zone },
      { cadence: 'weekly', weekday: 5, time: '07:00', zone },
      { cadence: 'alert' },
    ],
  })
  const visitor = { ipPrefix: undefined, userAgent: undefined, browser: undefined, language }
  const linkTo = async (email: string) => {
    await services.signupDecisions.decideAll()
    return activationPath(web, email)
  }
  const aReader = async () => {
    const { id } = await aSubscriber(database, { newsletter, language })
    const ref = { subscriberId: id, newsletterId: newsletter.id, digestId: 1 }
    const links = services.subscriptionLinks
    return {
      leave: links.unsubscribeUrl(ref),
      masked: links.preferencesUrl(id),
      fresh: links.freshPreferencesUrl(id),
    }
  }
  return {
    web,
    language,
    article,
    newsletter,
    wait: (ms: number) => (at += ms),
    aReader,
    /** The path of the link in the mail for this address. */
    aRequest: async (email: string) => {
      const signup = await services.signups.read({ email, newsletters: newsletter.slug, language }, language)
      await services.signups.signUp(signup, visitor)
      return linkTo(email)
    },
    aChangeTo: async (email: string) => {
      const { id } = await aSubscriber(database, { newsletter, language })
      await services.signups.requestAddressChange(id, email, visitor)
      return linkTo(email)
    },
    sendDigest: async () => {
      await aReader()
      const { id, version } = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
      await services.digestTransitions.send(id, {
        actor: cli,
        version: () => version,
        idempotencyKey: 'click',
        body: {},
      })
      await services.preparing.prepare(id)
      await rowsOf(web, `update deliveries set state = 'accepted' where digest_id = $1`, [id])
      return `/digests/${id}`
    },
  }
}

type Newsroom = Awaited<ReturnType<typeof aNewsroom>>
/** A text by which a page is known, and how a reader comes to it, often from the page before. */
type Visit = [text: string, come: (page: BrowserPage) => Promise<unknown>]

/** Presses the button of this action, and waits for the page that it brings. */
const press = (action: string) => async (page: BrowserPage) => {
  const loaded = page.waitForEvent('load')
  await page.click(`main button[value=${action}]`)
  await loaded
}

/** Sends the address as it stands, whatever the browser thinks of it. */
const fill = async (page: BrowserPage, email: string, button = 'main button') => {
  await page.evaluate('for (const form of document.forms) form.noValidate = true')
  await page.fill('main #email', email)
  const loaded = page.waitForEvent('load')
  await page.click(button)
  await loaded
}

function siteVisits({ web, language, article, newsletter, sendDigest }: Newsroom): Visit[] {
  const open = (path: string) => (page: BrowserPage) => page.goto(web.origin + path)
  const become = (state: 'paused' | 'ended') => async (page: BrowserPage) => {
    const { newsletters } = web.context.services
    await newsletters.change(newsletter.slug, { state }, cli)
    await page.goto(`${web.origin}/newsletters/${newsletter.slug}`)
    await newsletters.change(newsletter.slug, { state: 'public' }, cli)
  }
  return [
    ['site.box.title', open(`/${language}`)],
    ['site.kinds.section', open(`/${language}/sections/culture`)],
    ['site.kinds.dossier', open(`/${language}/dossiers/le-nouveau-port`)],
    ['site.dossiers_lead', open(`/${language}/dossiers`)],
    ['site.sections_lead', open(`/${language}/sections`)],
    ['subscribe.lead', open(`/${language}/newsletters`)],
    ['site.kinds.author', open(`/${language}/authors/nadia-belamri`)],
    ['feeds.how', open(`/${language}/feeds`)],
    ['site.print', open(`/articles/${article}`)],
    ['digest.none', open(`/newsletters/${newsletter.slug}`)],
    ['mail.digest.web_reason', async (page) => page.goto(web.origin + (await sendDigest()))],
    ['digest.archive', open(`/newsletters/${newsletter.slug}`)],
    ['digest.paused', become('paused')],
    ['digest.ended', become('ended')],
    ['errors.what_now.404', open(`/${language}/nowhere`)],
    ['errors.no_link_title', open('/activate/cut')],
    ['errors.new_link', open('/unsubscribe/cut')],
  ]
}

function signupVisits({ web, language, wait, aRequest, aReader, aChangeTo }: Newsroom): Visit[] {
  let link = ''
  const open = (path: string) => (page: BrowserPage) => page.goto(web.origin + path)
  const afterAWhile = (action: string) => (page: BrowserPage) => {
    wait(2_000)
    return press(action)(page)
  }
  const from = (path: () => Promise<string>) => async (page: BrowserPage) => {
    link = await path()
    await page.goto(web.origin + link)
  }
  return [
    ['subscribe.lead', open(`/${language}/subscribe`)],
    ['subscribe.fault.email', (page) => fill(page, 'not an address')],
    ['subscribe.sent.lead', (page) => fill(page, 'new@reader.example')],
    ['subscribe.embed.lead', open(`/${language}/subscribe?embed=html`)],
    ['subscribe.activate.lead', from(() => aRequest('a@reader.example'))],
    ['subscribe.activate.too_quick', press('activate')],
    ['subscribe.activate.done_lead', afterAWhile('activate')],
    [
      'subscribe.activate.left_lead',
      async (page) => {
        const { stores } = web.context.database
        const subscriber = await stores.subscribers.findByAddress('a@reader.example')
        await web.context.services.subscriptions.leaveAll(subscriber?.id ?? 0)
        await page.goto(web.origin + link)
      },
    ],
    ['subscribe.activate.refuse_lead', from(async () => `${await aRequest('b@reader.example')}?refuse=1`)],
    ['subscribe.activate.refused_lead', afterAWhile('refuse')],
    ['subscribe.activate.address_lead', from(() => aChangeTo('c@reader.example'))],
    ['subscribe.activate.address_done_lead', afterAWhile('activate')],
    [
      'subscribe.activate.taken_lead',
      async (page) => {
        await page.goto(web.origin + (await aChangeTo('c@reader.example')))
        await afterAWhile('activate')(page)
      },
    ],
    ['subscribe.preferences.ask_lead', open(`/${language}/preferences`)],
    ['subscribe.preferences.sent_lead', (page) => fill(page, 'x@reader.example')],
    ['subscribe.preferences.who_masked', async (page) => page.goto((await aReader()).masked)],
    ['subscribe.preferences.saved', press('save')],
    ['subscribe.preferences.new_address', async (page) => page.goto((await aReader()).fresh)],
    ['subscribe.preferences.erase_hint', (page) => page.click('details.grave summary')],
    [
      'subscribe.preferences.address_sent_lead',
      (page) => fill(page, 'd@reader.example', '[value=change-address]'),
    ],
    [
      'subscribe.preferences.erased_lead',
      async (page) => {
        await page.goBack()
        await page.click('details.grave summary')
        await press('erase')(page)
      },
    ],
  ]
}

function leavingVisits({ aReader }: Newsroom): Visit[] {
  const leave = async (page: BrowserPage) => page.goto((await aReader()).leave)
  return [
    ['subscribe.leave.instead', leave],
    ['subscribe.leave.lessened', press('less-often')],
    ['subscribe.leave.paused', press('pause')],
    ['subscribe.leave.done_lead', press('unsubscribe')],
    ['subscribe.leave.undone', press('undo')],
    ['subscribe.leave.done_all_lead', press('leave-all')],
    [
      'subscribe.leave.thanks',
      async (page) => {
        await page.check('[name=reason] >> nth=0')
        await press('reason')(page)
      },
    ],
    [
      'subscribe.leave.gone_lead',
      async (page) => {
        const reader = await aReader()
        await page.goto(reader.fresh)
        await page.click('details.grave summary')
        await press('erase')(page)
        await page.goto(reader.leave)
      },
    ],
  ]
}

function refusingVisits({ web, language, wait, aRequest }: Newsroom): Visit[] {
  return [
    [
      'subscribe.activate.expired_lead',
      async (page) => {
        const link = await aRequest('late@reader.example')
        wait(7.5 * 24 * 3_600_000)
        await page.goto(web.origin + link)
      },
    ],
    [
      'errors.what_now.429',
      async (page) => {
        await page.goto(`${web.origin}/${language}/preferences`)
        const body = new URLSearchParams({ email: 'x@reader.example' })
        while ((await web.fetch('/preferences', { method: 'POST', body })).status !== 429);
        await fill(page, 'x@reader.example')
      },
    ],
  ]
}

/** Axe reads in the last. */
const widths = { fr: [1280, 360], ar: [1280, 360], en: [360, 1280] }
const words = {
  name: 'Port-Clair',
  newsletter: 'Port-Clair',
  date: '|',
  days: '|',
  time: '|',
}

/** What is wrong with the page as it stands. */
async function inspect(page: BrowserPage, language: Language, text: string): Promise<string[]> {
  const found: string[] = []
  const [sentence = ''] = translate(language, text, {
    ...words,
    publication: language === 'ar' ? 'الساحل' : 'Le Rivage',
  }).split('|')
  const { said, lang, dir } = await page.evaluate<{ said: string; lang: string; dir: string }>(
    '({ said: document.body.textContent, lang: document.documentElement.lang, dir: document.documentElement.dir })',
  )
  if (!said.includes(sentence)) found.push('is another page')
  if (lang !== language || dir !== (language === 'ar' ? 'rtl' : 'ltr')) found.push(`speaks ${lang} ${dir}`)
  for (const width of widths[language]) {
    await page.setViewportSize({ width, height: 800 })
    const excess = await page.evaluate<number>('document.scrollingElement.scrollWidth - innerWidth')
    if (excess > 0) found.push(`is ${excess} px wider than ${width}`)
    const path = `${shots ?? ''}/${language}-${text}-${width}.png`
    if (shots) await page.screenshot({ path, fullPage: true })
  }
  found.push(...(await listViolations(page)))
  return found.map((fault) => `${text}: ${fault}`)
}

/** A newsroom without a newsletter. */
async function aClosedDoor({ language }: Newsroom): Promise<Visit> {
  const web = await aWeb()
  await web.context.services.publication.set({ languages }, cli)
  return ['subscribe.none', (page) => page.goto(`${web.origin}/${language}/subscribe`)]
}

const locales = { fr: 'fr-FR', ar: 'ar-DZ', en: 'en-GB' }

test.each(['fr', 'ar', 'en'] as const)(
  'every public page in %s: no axe violation, nothing cut off on phone and desktop, mirrored for Arabic',
  async (language) => {
    const newsroom = await aNewsroom(language)
    const visits = [
      ...siteVisits(newsroom),
      ...signupVisits(newsroom),
      ...leavingVisits(newsroom),
      ...refusingVisits(newsroom),
      await aClosedDoor(newsroom),
    ]
    const page = await aPage({ locale: locales[language], colorScheme: lightOf(language) })
    const found: string[] = []
    for (const [text, come] of visits) {
      await come(page)
      found.push(...(await inspect(page, language, text)))
    }
    expect(found).toEqual([])
    expect(page.faults.filter((fault) => !/status of (4\d\d|503)/.test(fault))).toEqual([])
  },
  // Four hundred readings of axe in the full form.
  900_000,
)
