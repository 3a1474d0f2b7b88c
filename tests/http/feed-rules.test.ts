import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { aNewsroom, type Newsroom } from '../support/feeds.ts'
import { poll } from '../support/poll.ts'
import { until } from '../support/until.ts'

const valuesOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`, 'g'))].map(([, value = '']) => value)
const isMailDate = (value: string) => new Date(value).toUTCString() === value

/** What the W3C validator warns about at level AA, as far as a feed of ours could meet it. */
function faultsOf(rss: string, url: string): string[] {
  const [channel = '', ...items] = rss.replace('</channel>', '').split('<item>')
  const [title] = valuesOf(channel, 'title')
  const [link] = valuesOf(channel, 'link')
  const guids = items.flatMap((item) => valuesOf(item, 'guid'))
  const rules: Record<string, boolean> = {
    'title, link and description': Boolean(title && link && valuesOf(channel, 'description')[0]),
    'absolute link': URL.canParse(link ?? ''),
    'self link': channel.includes(`<atom:link href="${url}" rel="self" type="application/rss+xml"/>`),
    language: /^[a-z]{2}$/.test(valuesOf(channel, 'language')[0] ?? ''),
    'date of the channel': valuesOf(channel, 'lastBuildDate').every(isMailDate),
    'no icon but the newsroom’s own, which has none here': !channel.includes('<image>'),
    'one guid, no address': items.every(
      (item) => item.match(/<guid isPermaLink="false">[^<]/g)?.length === 1,
    ),
    'guids differ': new Set(guids).size === items.length,
    'one title': items.every((item) => valuesOf(item, 'title').length === 1),
    'one date': items.every((item) => valuesOf(item, 'pubDate').filter(isMailDate).length === 1),
    'one dc:creator': items.every((item) => valuesOf(item, 'dc:creator').filter(Boolean).length === 1),
    'no author': !/<author>/.test(rss),
    'no cloud, no skipHours': !/<(cloud|skipHours)/.test(rss),
    'nothing empty': !/<(\w[\w:]*)(?: [^>]*)?><\/\1>/.test(rss),
  }
  return Object.keys(rules).filter((rule) => !rules[rule])
}

const expectWellFormed = (xml: string) => {
  execFileSync('xmllint', ['--noout', '--nonet', '-'], { input: xml, stdio: ['pipe', 'ignore', 'pipe'] })
}

async function publish({ put, render, context }: Newsroom): Promise<void> {
  for (let i = 1; i <= 51; i++)
    await put(`a${i}`, { title: `Vents & marées <${i}>`, authors: ['Lina Marsa'] })
  await put('b1', { title: 'Une seule', sections: ['culture'], responses: 'open' })
  await put('c1', { title: 'المنارة تضيء من جديد', language: 'ar', sections: ['culture'] })
  await context.services.responses.put('b1', 'r1', {
    author: 'Nour',
    html: '<p>Enfin & merci !</p>',
    publishedAt: new Date().toISOString(),
  })
  await render()
}

test('D1 feeds full, of one item, empty, Arabic, of an author and of responses keep our rules; Atom and OPML are well-formed', async () => {
  const newsroom = await aNewsroom()
  await publish(newsroom)
  const { origin } = newsroom
  const items: Record<string, number> = {
    '': 53,
    '/sections/a-la-une': 51,
    '/fr/sections/culture': 1,
    '/ar/sections/a-la-une': 0,
    '/ar': 1,
    '/authors/lina-marsa': 51,
    '/responses': 1,
  }
  for (const [path, expected] of Object.entries(items)) {
    const url = `${origin}${path}/rss.xml`
    const { text } = await poll(url)
    expectWellFormed(text)
    expect([path, text.split('<item>').length - 1, faultsOf(text, url)]).toEqual([path, expected, []])
    expectWellFormed((await poll(`${origin}${path}/atom.xml`)).text)
  }
  expectWellFormed((await poll(`${origin}/feeds.opml`)).text)
})

test('I4 an article has one id in the main feed, in its section, in Atom and in JSON', async () => {
  const { put, render, origin } = await aNewsroom()
  await put('a1')
  await render()
  const ids = new Set<string | undefined>()
  for (const path of ['', '/fr', '/sections/a-la-une']) {
    ids.add(valuesOf((await poll(`${origin}${path}/rss.xml`)).text, 'guid')[0])
    ids.add(valuesOf((await poll(`${origin}${path}/atom.xml`)).text, 'id')[1])
    const json = JSON.parse((await poll(`${origin}${path}/feed.json`)).text) as { items: { id: string }[] }
    ids.add(json.items[0]?.id)
  }
  expect([...ids]).toEqual([expect.stringMatching(/^urn:uuid:/)])
})

test('D1 stories that came here together keep the date of their publication as that of their last change, until they change', async () => {
  const { put, render, origin } = await aNewsroom()
  const dates = ['2026-01-07T08:00:00.000Z', '2026-01-06T08:00:00.000Z', '2026-01-05T08:00:00.000Z']
  for (const publishedAt of dates) await put(publishedAt, { publishedAt })
  await render()
  const datesOfEntries = async () => {
    const [feed, ...entries] = valuesOf((await poll(`${origin}/atom.xml`)).text, 'updated')
    return { feed, entries: entries.sort().reverse() }
  }
  const before = await datesOfEntries()
  expect(before.entries).toEqual(dates)

  await put(dates[2] ?? '', { publishedAt: dates[2], title: 'Corrigé' })
  await render()
  await until('the edit is served', async () => (await datesOfEntries()).feed !== before.feed)
  const [newest = '', ...others] = (await datesOfEntries()).entries
  expect(others).toEqual(dates.slice(0, 2))
  expect(Date.now() - Date.parse(newest)).toBeLessThan(600_000)
})
