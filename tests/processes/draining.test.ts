import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { expect, test, vi } from 'vitest'
import { cloneDatabase } from '../support/database.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'
import { aWebProcess } from '../support/web-process.ts'

test('SIGTERM ends open streams of events at once, whole, and the process with them', async () => {
  const databaseUrl = await cloneDatabase()
  const { child, port } = await aWebProcess(databaseUrl)
  const origin = `http://localhost:${port}`
  const web = await aWeb({ databaseUrl, env: { PUBLIC_URL: origin } })
  const { context } = web
  const newsletter = await aNewsletter(context.database)
  await aSubscriber(context.database, { newsletter })
  const admin = { kind: 'cli', role: 'admin' } as const
  const { key } = await context.services.keys.create({ name: 'probe', role: 'viewer' }, admin)
  const { id } = await context.services.digests.compose(newsletter.slug, { cadence: 'daily' }, admin)

  const desk = await signedIn(
    { ...web, fetch: (path, init) => fetch(origin + path, { redirect: 'manual', ...init }) },
    'viewer',
  )
  const streams = await Promise.all([
    fetch(`${origin}/api/v1/digests/${id}/events`, { headers: { authorization: `Bearer ${key}` } }),
    fetch(`${origin}/desk/digests/${id}/events`, { headers: { cookie: desk.cookie } }),
  ])
  const texts = streams.map((stream) => stream.text())
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  for (const text of await Promise.all(texts)) {
    expect(text).toMatch(/^retry: 1000\n\n(event: progress\ndata: .+\n\n)+$/)
    // One a second: left to itself, a stream lasts 25 s.
    expect(text.match(/^event/gm)?.length).toBeLessThan(10)
  }
  expect(await exited).toEqual([0, null])
})

test('for DRAIN_SECONDS it still answers, asks to be left on every connection, and is not ready', async () => {
  const { child, port } = await aWebProcess(undefined, { DRAIN_SECONDS: '2' })
  const agent = new Agent({ keepAlive: true, maxSockets: 3 })
  const ask = async (path: string, method = 'GET') => {
    const asked = request({ port, path, method, agent }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    await once(answer, 'end')
    return [answer.statusCode, answer.headers.connection, asked.reusedSocket]
  }
  await Promise.all([1, 2, 3].map(() => ask('/healthz')))
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await vi.waitFor(async () => {
    expect(await ask('/readyz')).toEqual([503, 'close', expect.anything()])
  })
  // What a keep-alive proxy sends on connections that it has kept, and on new ones.
  for (const [path, method, status] of [
    ['/subscribe', 'POST', 422],
    ['/rss.xml', 'GET', 200],
    ['/healthz', 'GET', 200],
    ['/subscribe', 'POST', 422],
  ] as const)
    expect((await ask(path, method)).slice(0, 2)).toEqual([status, 'close'])
  expect(await exited).toEqual([0, null])
})
