import { Queue } from 'bullmq'
import { expect, onTestFinished, test, vi } from 'vitest'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { recordStatements } from '../support/statements.ts'
import { aWeb, type Web } from '../support/web.ts'

/** Requests as signing up leaves them, the first the longest ago. */
const asked = (web: Web, addresses: string[]) =>
  rowsOf(
    web,
    `insert into activations (address, limit_hmac, key_id, language, wanted, form, decide_at, expires_at)
     select address, convert_to(address, 'UTF8'), 'k', 'fr', $2, 'page',
       now() - interval '1 hour' + n * interval '1 second', now() + interval '7 days'
     from unnest($1::text[]) with ordinality as given (address, n)`,
    [addresses, JSON.stringify({ newsletters: ['le-matin'], cadence: 'daily', alerts: false, sections: [] })],
  )

const signUp = async ({ context: { services } }: Web, email: string) =>
  services.signups.signUp(await services.signups.read({ email }, 'fr'), {
    ipPrefix: undefined,
    userAgent: undefined,
    browser: undefined,
    language: 'fr',
  })

const crowd = Array.from({ length: 40 }, (_, n) => `reader-${n}@d${n}.example`)
const aWebToDecide = async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin' })
  return { web, decideAll: () => web.context.services.signupDecisions.decideAll() }
}

test('a crowd is decided by as many statements as one reader, and mailed in the order in which it came', async () => {
  const { web, decideAll } = await aWebToDecide()
  const statements = recordStatements()
  await asked(web, ['omar@reader.example'])
  expect(await decideAll()).toBe(1)
  const forOne = statements.splice(0).length
  await asked(web, crowd)
  expect(await decideAll()).toBe(crowd.length)
  expect(statements.length).toBeLessThanOrEqual(forOne)
  const mails = await rowsOf(
    web,
    `select a.address, s.state from outbox o join activations a on a.id = o.activation_id
       join subscriptions s on s.subscriber_id = a.subscriber_id order by o.id`,
  )
  expect(mails.slice(1)).toEqual(crowd.map((address) => ({ address, state: 'pending' })))
})

test('one request that cannot be decided is put off, and nobody beside it', async () => {
  const { web, decideAll } = await aWebToDecide()
  await asked(web, [...crowd.slice(0, 3), 'none of ours', ...crowd.slice(3, 6)])
  expect(await decideAll()).toBe(6)
  expect(
    await rowsOf(web, 'select address, decide_at > now() as later from activations where decided_at is null'),
  ).toEqual([{ address: 'none of ours', later: true }])
  expect(await rowsOf(web, 'select count(*)::int as n from outbox')).toEqual([{ n: 6 }])
})

test('of one person in a crowd, however spelled, three are mailed, and the rest is told nothing', async () => {
  const { web, decideAll } = await aWebToDecide()
  for (let n = 0; n < 6; n++) await signUp(web, `amina+${n}@reader.example`)
  expect(await decideAll()).toBe(6)
  expect(
    await rowsOf(web, 'select decision, count(*)::int as n from activations group by 1 order by 1'),
  ).toEqual([
    { decision: 'limited', n: 3 },
    { decision: 'mailed', n: 3 },
  ])
})

test('the first of a crowd wakes a worker at once, the others one more for all of them', async () => {
  const { web } = await aWebToDecide()
  const rings = vi.spyOn(Queue.prototype, 'add')
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now())
  onTestFinished(() => void vi.restoreAllMocks())
  for (const address of crowd.slice(0, 5)) await signUp(web, address)
  const woken = () => rings.mock.calls.map(([name]) => name as string)
  expect(woken()).toEqual(['decide-signups'])
  clock.mockRestore()
  await vi.waitFor(() => {
    expect(woken()).toEqual(['decide-signups', 'decide-signups'])
  })
})

test('who signs up by JSON waits for nothing that a page would show', async () => {
  const { web } = await aWebToDecide()
  const statements = recordStatements()
  const post = (accept: string, type: string, body: string) =>
    web.fetch('/subscribe', {
      method: 'POST',
      headers: { accept, 'content-type': type },
      body,
    })
  expect((await post('*/*', 'application/json', '{"email":"omar@reader.example"}')).status).toBe(202)
  expect(statements.filter((text) => /from selections|from feed_documents/.test(text))).toEqual([])
  const refused = await post('text/html', 'application/json', '{"email":"nobody"}')
  expect(refused.headers.get('content-type')).toContain('application/problem+json')
  await post('text/html', 'application/x-www-form-urlencoded', 'email=lina@reader.example')
  expect(statements.filter((text) => /moved_to is not null/.test(text))).toHaveLength(1)
})
