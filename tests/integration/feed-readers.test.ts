import { parseFeed } from '@rowanmanning/feed-parser'
import RssParser from 'rss-parser'
import { expect, test } from 'vitest'
import { cloneDatabase } from '../support/database.ts'
import { aNewsroom } from '../support/feeds.ts'
import { poll } from '../support/poll.ts'
import { aNewsboat, anRss2email, feedparser } from '../support/feed-readers.ts'
import { until } from '../support/until.ts'

const titles = ['Vents & marées', '« Oui » : 50 % d’élus', 'R&D au port', 'المنارة تضيء من جديد']

test('D5 newsboat, rss2email, feedparser and the npm parsers show the titles as they were written', async () => {
  const newsroom = await aNewsroom()
  for (const [i, title] of titles.entries())
    await newsroom.put(`a${i}`, { title, authors: ['Ann Lee', 'Bob Ray'] })
  await newsroom.render()
  const url = `${newsroom.origin}/rss.xml`
  const sorted = [...titles].sort()

  const items = await aNewsboat([url]).reload()
  expect(items.map(({ title }) => title).sort()).toEqual(sorted)
  expect(new Set(items.map(({ author }) => author))).toEqual(new Set(['Ann Lee et Bob Ray']))
  expect((await (await anRss2email(url)).run()).sort()).toEqual(sorted)
  for (const format of ['rss.xml', 'atom.xml']) {
    const parsed = await feedparser(`${newsroom.origin}/${format}`)
    expect(parsed.bozo).toBe(false)
    expect(parsed.entries.map(({ title }) => title).sort()).toEqual(sorted)
    const { text } = await poll(`${newsroom.origin}/${format}`)
    expect(
      parseFeed(text)
        .items.map(({ title }) => title ?? '')
        .sort(),
    ).toEqual(sorted)
    const byRssParser = await new RssParser().parseString(text)
    expect(byRssParser.items.map(({ title }) => title ?? '').sort()).toEqual(sorted)
  }
})

test('H11 I2 I3 newsboat sees every change, keeps one item for each story, and shows the notice of a withdrawn one; rss2email mails nothing twice', async () => {
  const newsroom = await aNewsroom()
  const url = `${newsroom.origin}/rss.xml`
  await newsroom.put('a1', { title: 'Première version' })
  await newsroom.put('a2', { title: 'Une autre' })
  await newsroom.render()
  const newsboat = aNewsboat([url])
  const rss2email = await anRss2email(url)
  expect(await rss2email.run()).toHaveLength(2)
  // From the third poll on it sends validators.
  for (let i = 0; i < 3; i++) expect(await newsboat.reload()).toHaveLength(2)
  newsboat.markRead()

  const shown = async (title: string) => {
    await newsroom.render()
    await until(`${title} is served`, async () => (await poll(url)).text.includes(title))
    const items = await newsboat.reload()
    expect(items).toHaveLength(2)
    expect(items.every(({ unread }) => unread === 0)).toBe(true)
    return items.map((item) => item.title)
  }
  await newsroom.put('a1', { title: 'Deuxième version' })
  expect(await shown('Deuxième version')).toContain('Deuxième version')
  await newsroom.put('a1', { title: 'Troisième version' })
  expect(await shown('Troisième version')).toContain('Troisième version')
  await newsroom.withdraw('a1')
  expect(await shown('Article retiré')).toEqual(expect.arrayContaining(['Article retiré', 'Une autre']))
  expect(await rss2email.run()).toEqual([])
})

test('I1 I2 a new slug, an edit and a move to another address bring no new item to newsboat and rss2email', async () => {
  const databaseUrl = await cloneDatabase()
  const before = await aNewsroom({ databaseUrl })
  await before.put('a1', { guid: 'https://old.example/?p=1', title: 'Avant le déménagement' })
  await before.put('a2', { title: 'Une autre' })
  await before.render()
  const url = `${before.origin}/rss.xml`
  const newsboat = aNewsboat([url])
  const rss2email = await anRss2email(url)
  expect(await newsboat.reload()).toHaveLength(2)
  expect(await rss2email.run()).toHaveLength(2)
  newsboat.markRead()

  await before.put('a1', { title: 'Un tout autre titre, une autre adresse' })
  await before.render()
  await until('the edit is served', async () => (await poll(url)).text.includes('Un tout autre titre'))
  expect(await rss2email.run()).toEqual([])
  expect((await newsboat.reload()).filter(({ unread }) => unread !== 0)).toEqual([])

  const after = await aNewsroom({ databaseUrl })
  await after.context.services.feeds.renewAll()
  await after.render()
  await until('the new address is served', async () =>
    (await poll(`${after.origin}/rss.xml`)).text.includes(after.origin),
  )
  newsboat.setUrls([`${after.origin}/rss.xml`])
  const items = await newsboat.reload()
  expect(items).toHaveLength(2)
  expect(items.filter(({ unread }) => unread !== 0)).toEqual([])
})

test('H11 I5 newsboat shows a scheduled story once its time has come, though it is older than one already shown', async () => {
  const begin = Date.now() - 3 * 24 * 3600_000
  let now = new Date(begin)
  const newsroom = await aNewsroom({ now: () => now })
  const { articles } = newsroom.context.services
  const url = `${newsroom.origin}/rss.xml`
  const newsboat = aNewsboat([url])
  const shown = async () => (await newsboat.reload()).map(({ title }) => title).sort()
  const served = async (title: string) => {
    await newsroom.render()
    return until(`${title} is served`, async () => {
      const answer = await poll(url)
      return answer.text.includes(title) && Date.parse(answer.headers['last-modified'] ?? '')
    })
  }
  await newsroom.put('a1', { title: 'Déjà là' })
  const publishedAt = new Date(begin + 3600_000).toISOString()
  await newsroom.put('later', { title: 'Plus tard', state: 'scheduled', publishedAt })
  await served('Déjà là')
  // From the third poll on it sends validators.
  for (let i = 0; i < 3; i++) expect(await shown()).toEqual(['Déjà là'])
  expect(await articles.publishDue()).toBe(0)

  now = new Date(begin + 2 * 3600_000)
  await newsroom.put('a2', { title: 'Entre-temps' })
  const before = await served('Entre-temps')
  expect(await shown()).toEqual(['Déjà là', 'Entre-temps'])
  expect(await articles.publishDue()).toBe(1)
  expect(await served('Plus tard')).toBeGreaterThan(before)
  expect(await shown()).toEqual(['Déjà là', 'Entre-temps', 'Plus tard'])
})

test('H11 a feed that has moved to one that changed last long before it shows newsboat its stories', async () => {
  const newsroom = await aNewsroom()
  const { feedMoves } = newsroom.context.services
  const actor = { kind: 'cli', role: 'admin' } as const
  const [from, to] = ['/sections/culture/rss.xml', '/sections/a-la-une/rss.xml']
  const url = newsroom.origin + from
  await newsroom.put('a1', { title: 'À la Une' })
  await newsroom.render()
  const dateOf = async (path: string) =>
    Date.parse((await poll(newsroom.origin + path)).headers['last-modified'] ?? '')
  const before = await dateOf(to)
  await newsroom.put('b1', { title: 'Culture', sections: ['culture'] })
  await newsroom.render()
  const newsboat = aNewsboat([url])
  const titlesShown = async () => (await newsboat.reload()).map(({ title }) => title).sort()
  for (let i = 0; i < 3; i++) expect(await titlesShown()).toEqual(['Culture'])

  await feedMoves.move(from, to, actor)
  await newsroom.render()
  await until('the move is known', async () => (await poll(url)).status === 301)
  await until('its target is dated anew', async () => (await dateOf(to)) > before)
  expect(await titlesShown()).toContain('À la Une')
})
