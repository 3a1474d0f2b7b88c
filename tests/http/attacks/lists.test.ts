import { expect, test } from 'vitest'
import { everyApiRoute } from '../../support/api-routes.ts'
import { anArticle } from '../../support/articles.ts'
import { signedIn } from '../../support/desk.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { recordStatements } from '../../support/statements.ts'
import { aSubscriber } from '../../support/subscribers.ts'
import { aWeb, type Web } from '../../support/web.ts'

const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const tamperedCursors = [
  'x',
  '',
  cursor({ id: 1 }),
  cursor([[1]]),
  cursor([1e300]),
  cursor([1, 1, 1, 1, 1]),
  `${cursor([1])}=`,
  cursor(['1; drop table articles']),
  cursor(['a', 'b']),
  cursor(['\0']),
  cursor(['\0', 1]),
  cursor(['2026-02-31T00:00:00.000Z', 1]),
  cursor(['2026-99-99', 1]),
  cursor([Number.MAX_SAFE_INTEGER, 'x']),
]

const readsOf = (web: Web) =>
  everyApiRoute(web).filter(({ method, path }) => method === 'get' && !path.endsWith('/events'))

type Call = Awaited<ReturnType<Web['api']>>

/** The lists that page, told by their description; each with something in it. */
async function everyList() {
  const web = await aWeb()
  const { database } = web.context
  await aSubscriber(database, { newsletter: await aNewsletter(database) })
  for (let count = 0; count < 3; count += 1) await anArticle(database)
  const call = await web.api('admin')
  const newsletter = (await (await call('GET', '/newsletters')).json()) as { data: { slug: string }[] }
  const digest = await call('POST', `/newsletters/${newsletter.data[0]?.slug}/digests`, { cadence: 'daily' })
  const { id } = (await digest.json()) as { id: number }
  const description = (await (await call('GET', '/openapi.json')).json()) as {
    paths: Record<string, { get?: { parameters?: { name: string }[] } }>
  }
  const lists = Object.entries(description.paths)
    .filter(([, { get }]) => get?.parameters?.some(({ name }) => name === 'cursor'))
    .map(([path]) => path.replace('{id}', String(id)))
  expect(lists.length).toBeGreaterThan(4)
  return { web, call, lists }
}

test('a query that no list knows is refused by every call that reads', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  for (const { path } of readsOf(web)) {
    const read = path.replace(/\{(\w+)\}/g, '999999')
    for (const query of ['sort=name', 'sort=name;drop table articles', 'filter[x]=1', '__proto__=1']) {
      expect((await call('GET', `${read}?${query}`)).status, `${path}?${query}`).toBe(400)
    }
  }
})

test('no list takes a limit out of bounds or a cursor that is not its own', async () => {
  const { call, lists } = await everyList()
  for (const path of lists) {
    for (const limit of ['-1', '0', '201', '1e9', 'NaN', '1.5', '', '0x', '1&limit=2'])
      expect((await call('GET', `${path}?limit=${limit}`)).status, `${path} limit ${limit}`).toBe(400)
    for (const tampered of tamperedCursors) {
      const answer = await call('GET', `${path}?cursor=${tampered}`)
      expect(answer.status, `${path} ${Buffer.from(tampered, 'base64url').toString()}`).toBe(400)
    }
  }
})

test('no page with a list fails on a tampered cursor or on what a database cannot hold', async () => {
  const { web } = await everyList()
  const desk = await signedIn(web, 'admin')
  const lists = ['articles', 'digests', 'subscribers', 'settings/audit', 'settings']
  for (const value of [
    ...tamperedCursors,
    cursor([Number.MAX_SAFE_INTEGER]),
    '%00',
    '%ED%A0%80',
    '9'.repeat(400),
  ]) {
    for (const list of lists)
      for (const query of [`cursor=${value}`, `q=${value}`, `state=${value}`])
        expect((await desk.get(`/${list}?${query}`)).status, `/desk/${list}?${query}`).toBeLessThan(500)
    for (const page of [
      `/sections/a-la-une?before=${value}`,
      `/tags/${value}`,
      `/articles/${value}`,
      `/s/${value}`,
    ])
      expect((await web.fetch(page)).status, page).toBeLessThan(500)
  }
})

/** Every list with each set of the filters it documents, on its first page and on a later one. */
async function honestQueries(call: Call, lists: string[]): Promise<string[]> {
  const { paths } = (await (await call('GET', '/openapi.json')).json()) as {
    paths: Record<string, { get?: { parameters?: { name: string; schema: { enum?: string[] } }[] } }>
  }
  const later = [[], [`cursor=${cursor([1])}`], [`cursor=${cursor(['2026-03-14T10:00:00.000Z', 1])}`]]
  return lists.flatMap((list) => {
    const documented = paths[list.replace(/\d+/, '{id}')]?.get?.parameters ?? []
    const filters = documented.filter(({ name }) => !['id', 'limit', 'cursor'].includes(name))
    const sets = filters.reduce<string[][]>(
      (known, { name, schema }) => [
        ...known,
        ...known.map((set) => [...set, `${name}=${schema.enum?.[0] ?? 'a'}`]),
      ],
      [[]],
    )
    return sets.flatMap((set) => later.map((page) => `${list}?${[...set, ...page].join('&')}`))
  })
}

test('ten thousand fuzzed requests send no statement that an honest one does not', async () => {
  const statements = recordStatements()
  const { call, lists } = await everyList()
  const setUp = statements.length
  const hostile = [
    "'",
    '"',
    ';--',
    '%00',
    '\\',
    '$1',
    '${7*7}',
    'a,b',
    '(select 1)',
    '🂡',
    '%25',
    '_',
    'published',
  ]
  let state = 20_260_314
  const pick = <Item>(items: readonly Item[]): Item => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return items[(state >>> 8) % items.length] as Item
  }
  const names = [
    'limit',
    'cursor',
    'q',
    'state',
    'language',
    'newsletter',
    'sort',
    'order',
    'filter[a]',
  ] as const
  const fuzz = () => {
    const query = new URLSearchParams()
    for (let count = pick([1, 2, 3]); count > 0; count -= 1) {
      const text =
        decodeURIComponent(pick(hostile)) + pick(['', ' or 1=1', pick(hostile).replaceAll('%', '')])
      const isPaging = pick([true, false])
      query.append(
        pick(names),
        isPaging
          ? pick(['1', '50', cursor([1]), cursor([text]), cursor([text, 1]), cursor([1, text])])
          : text,
      )
    }
    return `${pick(lists)}?${query.toString()}`
  }
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent += 20) {
      const paths = Array.from({ length: 20 }, fuzz)
      const answers = await Promise.all(paths.map((path) => call('GET', path)))
      for (const [n, answer] of answers.entries()) {
        await answer.body?.cancel()
        expect(answer.status, paths[n]).toBeLessThan(500)
      }
    }
  }
  for (const query of await honestQueries(call, lists)) await (await call('GET', query)).body?.cancel()
  // What was sent before counts as known: a key notes every minute that it was used.
  const known = new Set(statements)
  const honest = new Set(statements.slice(setUp))
  await send(10_000)
  const added = [...new Set(statements)].filter((text) => !known.has(text))
  expect(added).toEqual([])
  expect(honest.size).toBeLessThan(100)
})
