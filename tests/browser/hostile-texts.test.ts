import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aPage, type BrowserPage } from '../support/browser.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'
import { xssBodies } from '../support/xss.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const attacks = [...xssBodies(40)]
const attack = (n: number): string => attacks[n % attacks.length] ?? ''
/** Where only one text can stand: out of an attribute, out of a script, and into a template. */
const loud = '</title></script>"\'><img src=x onerror=hit()><script>hit()</script>{{7*7777}}'

/** A newsroom in which every text that others write is an attack. @returns paths of its pages, and of its desk */
async function aHostileNewsroom() {
  const web = await aWeb()
  const { database, services } = web.context
  for (const [n] of attacks.entries()) {
    await anArticle(database, {
      externalId: `attack-${n}`,
      title: attack(n),
      deck: attack(n + 1),
      summary: attack(n + 2),
      html: `<p>${attack(n + 3)}</p>`,
      authors: [attack(n + 4)],
      dossiers: ['dossier'],
      picture: { url: 'http://localhost:1/x.png', alt: attack(n + 5), credit: attack(n + 6) },
      responses: 'open',
    })
    const response = { author: attack(n + 7), html: attack(n + 8), authorUrl: 'https://reader.example/"><x>' }
    await services.responses.put(`attack-${n}`, 'r', response)
  }
  await services.publication.set({ name: loud, description: loud, deskName: loud, postalAddress: loud }, cli)
  const newsletter = await aNewsletter(database, { name: loud, description: loud, maxArticles: 40 })
  const reader = await aSubscriber(database, { newsletter })
  await rowsOf(web, `update selections set names = jsonb_build_object('fr', $1::text), description = names`, [
    loud,
  ])
  const texts = { cadence: 'daily', subject: loud, preheader: loud, intro: loud } as const
  const digest = await services.digests.compose(newsletter.slug, texts, cli)
  const request = { actor: cli, version: () => digest.version, idempotencyKey: 'k', body: {} }
  await services.digestTransitions.send(digest.id, request)
  await services.preparing.prepare(digest.id)
  await rowsOf(web, `update deliveries set state = 'rejected', reason = 'refused', smtp_answer = $1`, [loud])
  await rowsOf(web, `update digests set state = 'completed', completed_at = now()`)
  await services.digests.compose(newsletter.slug, texts, cli)
  await services.articles.withdraw('attack-0', loud, cli)
  const slugs = await rowsOf<{ slug: string }>(web, `select slug from articles order by id`)
  const articles = slugs.map(({ slug }) => `/articles/${encodeURIComponent(slug)}`)
  return {
    web,
    site: [
      ...['/', '/fr', '/sections/a-la-une', '/dossiers', '/dossiers/dossier', '/feeds', '/subscribe'],
      ...[`/newsletters/${newsletter.slug}`, `/digests/${digest.id}`, ...articles],
    ],
    desk: [
      ...['', '/digests', `/digests/${digest.id}`, `/digests/${digest.id + 1}`, '/newsletters', '/articles'],
      ...[`/newsletters/${newsletter.slug}`, '/feeds', '/subscribers', `/subscribers/${reader.id}`, '/audit'],
      ...['/deliverability', '/suppressions', '/settings', `/subscribers?q=${encodeURIComponent(loud)}`],
    ].map((path) => `/desk${path}`),
    previews: ['html', 'text'].map((format) => `/api/v1/digests/${digest.id + 1}/preview?format=${format}`),
  }
}

/** A page that no content policy helps; it counts what runs. */
async function aDefencelessPage(): Promise<BrowserPage> {
  const page = await aPage({ bypassCSP: true })
  await page.addInitScript('window.hits = 0; window.hit = () => { window.hits++ }')
  // The instrument itself.
  await page.goto(`data:text/html,${encodeURIComponent(loud)}`)
  await page.waitForFunction('window.hits === 2')
  await page.route(/^http:\/\/localhost:1\//, (route) => route.abort())
  return page
}

async function expectHarmless(page: BrowserPage, web: Web, path: string): Promise<void> {
  await page.goto(web.origin + path, { waitUntil: 'load' })
  const scripted =
    '[href^="javascript" i], [src^="javascript" i], [action^="javascript" i], [formaction]:not([formaction^="/desk/"]), base'
  const { acting, hits, text, markup } = await page.evaluate<Record<string, unknown>>(`({
    acting: document.querySelectorAll(${JSON.stringify(scripted)}).length,
    hits: window.hits,
    text: document.documentElement.innerText,
    markup: document.documentElement.outerHTML,
  })`)
  expect({ acting, hits }, path).toEqual({ acting: 0, hits: 0 })
  expect(text, path).not.toContain('54439')
  expect(markup, path).toContain('hit()')
}

test('texts of others run nowhere on the site, on the desk or in a preview, even without a content policy', async () => {
  const { web, site, desk, previews } = await aHostileNewsroom()
  const page = await aDefencelessPage()
  for (const path of site) await expectHarmless(page, web, path)
  const admin = await signedIn(web, 'admin')
  const [name = '', value = ''] = admin.cookie.split('=')
  await page.context().addCookies([{ name, value, url: web.origin }])
  for (const path of desk) await expectHarmless(page, web, path)
  const { key } = await web.context.services.keys.create({ name: 'k', role: 'viewer' }, cli)
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${key}` })
  for (const path of previews) await expectHarmless(page, web, path)
})
