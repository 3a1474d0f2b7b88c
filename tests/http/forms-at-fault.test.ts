import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

interface Form {
  action: string
  type: string
  fields: [name: string, value: string][]
  /** Names of what a person types into it. */
  typed: string[]
}

const attribute = (tag: string, name: string): string | undefined =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&')

const isTyped = (tag: string): boolean =>
  tag.startsWith('<textarea') ||
  /^(?:text|email|number|date|datetime-local|time)$/.test(attribute(tag, 'type') ?? 'text')

/** One more than it takes, where it says so; a million would be no form any more. */
const overlong = (tag: string): number => Math.min(Number(attribute(tag, 'maxlength') ?? 300), 6_000) + 1

/** The forms of a page that a person types into, each filled in as nobody should. */
function formsOf(html: string, page: string): Form[] {
  return [...html.matchAll(/<form method="post"([^>]*)>([^]*?)<\/form>/g)].map(
    ([, head = '', inside = '']) => {
      const tags = [...inside.matchAll(/<(?:input|textarea)\b[^>]*\sname="[^"]+"[^>]*>/g)].map(([tag]) => tag)
      const typed = tags.filter((tag) => isTyped(tag) && !/\s(?:readonly|disabled|tabindex="-1")/.test(tag))
      const given = tags.filter((tag) => attribute(tag, 'type') === 'hidden')
      return {
        action: attribute(head, 'action') ?? page,
        type: attribute(head, 'enctype') ?? '',
        fields: [
          ...given.map((tag): [string, string] => [
            attribute(tag, 'name') ?? '',
            attribute(tag, 'value') ?? '',
          ]),
          ...typed.map((tag): [string, string] => [attribute(tag, 'name') ?? '', 'x'.repeat(overlong(tag))]),
        ],
        typed: typed.map((tag) => attribute(tag, 'name') ?? ''),
      }
    },
  )
}

/** What a person at fault is told: in the title, at the top with links, at the field. */
function expectTold(html: string, form: string) {
  expect.soft(html.match(/<title>([^<]*)/)?.[1], form).toMatch(/^Erreur\u00a0:/)
  const summary = /<div class="notice[^"]*"[^>]*role="alert"[^>]*>[^]*?<\/div>/.exec(html)?.[0] ?? ''
  expect.soft(summary, form).toMatch(/tabindex="-1" autofocus/)
  expect.soft(html.match(/ autofocus/g), form).toHaveLength(1)
  const links = [...summary.matchAll(/href="#([^"]+)"/g)].map(([, id = '']) => id)
  expect.soft(links.length, form).toBeGreaterThan(0)
  for (const id of links) expect.soft(html.split(`id="${id}"`), `${form} ${id}`).toHaveLength(2)
  const told = [...html.matchAll(/<small id="([^"]+)-fault" class="fault">([^<]+)</g)].map(
    ([, , sentence]) => sentence,
  )
  expect.soft(told.length, form).toBe(links.length)
  for (const sentence of told) expect.soft(summary, form).toContain(sentence)
}

test('every form of the desk tells its faults in the title, above with links, and at each field', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  await anArticle(database, { externalId: 'phare', title: 'Le phare', sections: ['culture'], tags: ['mer'] })
  const newsletter = await aNewsletter(database)
  await aSubscriber(database)
  await services.digests.compose(newsletter.slug, { cadence: 'daily' }, { kind: 'cli', role: 'admin' })
  const desk = await signedIn(web, 'admin')
  const pages = new Set(['/', '/newsletters/new', '/articles/new'])
  const seen = new Set<string>()
  for (const page of pages) {
    const html = await (await desk.get(page)).text()
    for (const [, path = ''] of html.matchAll(/href="\/desk(\/[^"?#]*)["?#]/g)) pages.add(path)
    for (const { action, type, fields, typed } of formsOf(html, `/desk${page}`)) {
      if (typed.length === 0 || seen.has(action)) continue
      seen.add(action)
      const body = type === '' ? new URLSearchParams() : new FormData()
      for (const [name, value] of fields) body.append(name, value)
      const refused = await web.fetch(action, {
        method: 'POST',
        headers: { cookie: desk.cookie, accept: 'text/html' },
        body,
      })
      expect.soft([action, refused.status]).toEqual([action, 422])
      expectTold(await refused.text(), action)
    }
  }
  expect(seen.size).toBeGreaterThan(20)
})

test('every form of readers tells its faults in the title, above with links, and at each field', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database)
  const { id } = await aSubscriber(web.context.database)
  const own = new URL(web.context.services.subscriptionLinks.freshPreferencesUrl(id)).pathname
  for (const page of ['/fr', '/fr/subscribe', '/fr/preferences', own, '/desk/sign-in']) {
    const headers = { accept: 'text/html', 'accept-language': 'fr' }
    const html = await (await web.fetch(page, { headers })).text()
    const forms = formsOf(html, page).filter(({ typed }) => typed.includes('email'))
    for (const { action, fields } of forms) {
      const body = new URLSearchParams([
        ...fields,
        ...(page === own ? [['action', 'change-address'] as [string, string]] : []),
      ])
      const refused = await web.fetch(action, { method: 'POST', headers, body })
      expect.soft([page, action, refused.status]).toEqual([page, action, 422])
      expectTold(await refused.text(), `${page} ${action}`)
    }
    expect(forms.length, page).toBeGreaterThan(0)
  }
})
