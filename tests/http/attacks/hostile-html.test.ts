import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sanitizeArticleHtml } from '../../../src/domain/articles/article-html.ts'
import { safeHtml } from '../../../src/services/articles/safe-html.ts'
import { runSql } from '../../support/sql.ts'
import { aWeb } from '../../support/web.ts'

const longest = 1_000_000
const fill = (unit: string, length = longest) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
const story = { title: 'Le port rouvre', language: 'fr' }
const textsOf = (length: number) => ({
  'quoted closings': fill('<i a="</i>">', length / 2) + fill('</b>', length / 2),
  'stray closings': '<i>'.repeat(999) + fill('</b>', length - 2_997),
  'lost pictures': fill('text <img>', length),
  'open marks': fill('<', length),
})

test('hostile HTML of the longest is refused or made safe, and others are answered meanwhile', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  await call('PUT', '/articles/a', { ...story, html: '' })
  let isOver = false
  const probe = async () => {
    const statuses = new Set<number>()
    while (!isOver) statuses.add((await web.fetch('/healthz')).status)
    return [...statuses]
  }
  const probing = probe()
  const put = async (path: string, body: object) => (await call('PUT', path, body)).status
  for (const [name, html] of Object.entries(textsOf(longest))) {
    expect([200, 201, 422], name).toContain(
      await put(`/articles/${name.replace(' ', '-')}`, { ...story, html }),
    )
  }
  for (const [name, html] of Object.entries(textsOf(200_000))) {
    const path = `/articles/a/responses/${name.replace(' ', '-')}`
    expect([200, 201, 422], name).toContain(await put(path, { author: 'x', html }))
  }
  isOver = true
  expect(await probing).toEqual([200])
})

test('an article of more than a million characters gets a sentence', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const response = await call('PUT', '/articles/a', { ...story, html: fill('x', longest + 1) })
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({
    code: 'invalid_input',
    errors: [{ field: 'html', message: expect.stringContaining('1000000') as string }],
  })
})

test('a large text leaves the process free, and comes back the same as a small one would', async () => {
  const html = fill('<p>Le phare &amp; la mer</p>', 600_000)
  let isRead = false
  const reading = safeHtml(html).finally(() => {
    isRead = true
  })
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  expect(isRead).toBe(false)
  expect(await reading).toBe(sanitizeArticleHtml(html))
  await expect(safeHtml(fill('<i>'))).rejects.toMatchObject({ code: 'html_never_closed' })
})

test('a page and a feed show what is sanitised now, whatever is in the database', async () => {
  const web = await aWeb()
  const call = await web.api('editor')
  const { slug } = (await (
    await call('PUT', '/articles/a', { ...story, html: '<p>Le port</p>' })
  ).json()) as {
    slug: string
  }
  await call('PUT', '/articles/a/responses/1', { author: 'Lina', html: '<p>Oui</p>' })
  const foreign =
    '<img src="https://t.example/p.gif" onerror="x()"><form action="//evil.example"><a href="https://s.example">s</a>'
  await runSql(web.context.config.databaseUrl, `update articles set html = html || '${foreign}'`)
  await runSql(web.context.config.databaseUrl, `update responses set html = html || '${foreign}'`)
  const page = await (await web.fetch(`/articles/${slug}`)).text()
  const feed = await (await web.fetch(`/articles/${slug}/responses/rss.xml`)).text()
  for (const shown of [page, feed]) expect(shown).not.toMatch(/onerror|evil\.example/)
  const [text = '', responses = ''] = page.split('id="responses"')
  expect(text).toContain('https://t.example/p.gif')
  for (const shown of [responses, feed]) {
    expect(shown).not.toContain('t.example')
    expect(shown).toMatch(/href="https:\/\/s\.example\/" rel="ugc nofollow"/)
  }
})
