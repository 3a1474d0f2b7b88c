import { expect, test } from 'vitest'
import { depeche } from '../support/cli.ts'
import { signedIn } from '../support/desk.ts'
import { query } from '../support/query.ts'
import { aSendingDigest } from '../support/sending-digest.ts'
import { aSender } from '../support/sending.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { aWeb } from '../support/web.ts'

interface Decided {
  state: string
  decided: number
  undecided: number
}

/** Ten readers; the server took the last byte of three of them and never answered. */
async function aDigestInDoubt() {
  const databaseUrl = await cloneDatabase()
  const { digestId } = await aSendingDigest(databaseUrl, { readers: 10, policy: 'hold' })
  const sink = await aSmtpSink()
  const { sending } = await aSender(openTestDatabase(databaseUrl), { smtpUrl: sink.url })
  sink.faults.push({ at: 'dot', do: 'close', recipients: '^reader-[147]@', times: 3 })
  await sending.deliverDigest(digestId)
  const web = await aWeb({ databaseUrl })
  const call = await web.api('editor')
  return {
    web,
    digestId,
    sending,
    received: (address: string) => sink.received.filter((mail) => mail.to.includes(address)).length,
    decide: (key: string, body: object) =>
      call('POST', `/digests/${digestId}/uncertain`, body, { 'idempotency-key': key }),
    ids: (
      await query<{ id: string }>(
        databaseUrl,
        `select subscriber_id as id from deliveries where state = 'uncertain' order by 1`,
      )
    ).map(({ id }) => Number(id)),
    digest: async () => {
      const shape = await web.context.services.digests.get(digestId)
      expect(Object.values(shape.counts).reduce((sum, n) => sum + n, 0)).toBe(shape.audience)
      return { state: shape.state, accepted: shape.counts.accepted, uncertain: shape.counts.uncertain }
    },
  }
}

const decidedOf = async (response: Response) => {
  expect(response.status).toBe(200)
  return (await response.json()) as Decided
}

test('who is in doubt is sent to again once, by one decision, and nobody else is', async () => {
  const { decide, digest, digestId, ids, received, sending, web } = await aDigestInDoubt()
  expect(await digest()).toEqual({ state: 'completed_with_uncertain', accepted: 7, uncertain: 3 })
  const [first = 0] = ids
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => decide('one-click', { decision: 'resend', subscribers: [first] })),
  )
  for (const answer of answers)
    expect(await decidedOf(answer)).toMatchObject({ state: 'sending', decided: 1, undecided: 2 })
  expect(await digest()).toMatchObject({ state: 'sending', uncertain: 2 })
  await sending.deliverDigest(digestId)
  expect(await digest()).toEqual({ state: 'completed_with_uncertain', accepted: 8, uncertain: 2 })

  // Accepted now: no further decision reaches them, and the first key still answers as it did.
  expect(await decidedOf(await decide('again', { decision: 'resend', subscribers: [first] }))).toMatchObject({
    decided: 0,
  })
  expect(
    await decidedOf(await decide('one-click', { decision: 'resend', subscribers: [first] })),
  ).toMatchObject({
    decided: 1,
  })
  expect(await decidedOf(await decide('all', { decision: 'resend' }))).toMatchObject({
    decided: 2,
    undecided: 0,
  })
  await sending.deliverDigest(digestId)
  expect(await digest()).toEqual({ state: 'completed', accepted: 10, uncertain: 0 })
  // The server had kept what it never answered: these three have it twice, as the desk was told, and nobody else.
  for (let n = 1; n <= 10; n++)
    expect(received(`reader-${n}@reader.example`)).toBe([1, 4, 7].includes(n) ? 2 : 1)
  const { data } = await web.context.services.audit.list({ limit: 50, after: undefined })
  const entries = data.filter((entry) => entry.action === 'digest.doubt.resend')
  expect(entries.map((entry) => entry.detail)).toMatchObject([{ decided: 2 }, { decided: 0 }, { decided: 1 }])
})

test('an answer that does not come again makes them uncertain again; nothing repeats itself', async () => {
  const { decide, digest, digestId, ids, sending, web } = await aDigestInDoubt()
  await decide('all', { decision: 'resend' })
  await query(web.context.config.databaseUrl, `update publication set ambiguous_policy = 'resend_once'`)
  await query(
    web.context.config.databaseUrl,
    `update deliveries set state = 'committing', lease_until = now() - interval '1 day', lease_token = gen_random_uuid()
     where subscriber_id = $1`,
    [ids[0]],
  )
  await web.context.database.stores.deliveries
    .allLeases({ leaseSeconds: 0, backOffMinutes: [1], troubleSeconds: 1, relayBackOffMinutes: [1] })
    .recover()
  await sending.deliverDigest(digestId)
  expect(await digest()).toEqual({ state: 'completed_with_uncertain', accepted: 9, uncertain: 1 })
})

test('who is left stays uncertain for good, and the digest has ended', async () => {
  const { decide, digest, ids } = await aDigestInDoubt()
  const [first, ...others] = ids
  await decide('one', { decision: 'leave', subscribers: [first] })
  expect(await digest()).toMatchObject({ state: 'completed_with_uncertain', uncertain: 3 })
  expect(await decidedOf(await decide('others', { decision: 'leave' }))).toMatchObject({
    state: 'completed',
    decided: others.length,
    undecided: 0,
  })
  expect(await digest()).toEqual({ state: 'completed', accepted: 7, uncertain: 3 })
  const late = await decide('late', { decision: 'resend' })
  expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([409, 'wrong_state'])
})

test('of a newsletter that is paused nobody is sent to again', async () => {
  const { web, decide, digest } = await aDigestInDoubt()
  await web.context.services.newsletters.change(
    'le-matin',
    { state: 'paused' },
    { kind: 'cli', role: 'admin' },
  )
  const refused = await decide('all', { decision: 'resend' })
  expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'newsletter_paused' }])
  expect(await digest()).toMatchObject({ state: 'completed_with_uncertain', uncertain: 3 })
  expect(await decidedOf(await decide('left', { decision: 'leave' }))).toMatchObject({ state: 'completed' })
})

test('the command line lists who is in doubt, and decides', async () => {
  const { web, digestId, digest, ids } = await aDigestInDoubt()
  const run = (...args: string[]) =>
    depeche(web.context.config.databaseUrl, ['digest', 'uncertain', String(digestId), ...args])
  expect((await run()).stdout).toMatch(/^\d+ {2}reader-1@reader\.example {2}no_answer/)
  expect(await run('--resend')).toMatchObject({ code: 2 })
  expect(await run('--resend', '--subscriber', String(ids[0]))).toMatchObject({
    code: 0,
    stdout: 'decided 1, still in doubt 2\n',
  })
  expect((await run('--leave', '--all')).stdout).toBe('decided 2, still in doubt 0\n')
  expect((await run()).stdout).toBe('\n')
  expect(await digest()).toMatchObject({ state: 'sending', uncertain: 2 })
})

test('a decision needs its key, an editor, and whom it is about', async () => {
  const { web, digestId, decide } = await aDigestInDoubt()
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code
  const path = `/digests/${digestId}/uncertain`
  const body = { decision: 'leave' }
  expect(await codeOf(await (await web.api('editor'))('POST', path, body))).toBe('idempotency_key_required')
  expect(await codeOf(await (await web.api('viewer'))('POST', path, body))).toBe('role_too_low')
  await decide('key', { decision: 'leave', subscribers: [4711] })
  expect(await codeOf(await decide('key', body))).toBe('idempotency_key_reused')
})

test('the desk shows who is in doubt and why, warns of a second copy, and takes either decision', async () => {
  const { web, digestId, digest, sending, received } = await aDigestInDoubt()
  const desk = await signedIn(web, 'editor')
  const path = `/digests/${digestId}`
  const page = await (await desk.get(`${path}?deliveries=uncertain`)).text()
  for (const text of [
    'Pour 3 personnes, on ne sait pas',
    'reader-1@reader.example',
    'recevront deux fois',
    'pas de réponse',
  ])
    expect(page).toContain(text)
  expect(await (await desk.get('')).text()).toContain('Pour 3 personnes')

  // One of the buttons beside a person, as the page has it.
  const [, key = '', subscriber = ''] =
    /name="key" value="([\w-]+)"><input type="hidden" name="subscriber" value="(\d+)"/.exec(page) ?? []
  await desk.post(`${path}/uncertain`, { key, subscriber, decision: 'resend' })
  await desk.post(`${path}/uncertain`, { key, subscriber, decision: 'resend' })
  await sending.deliverDigest(digestId)
  expect(received('reader-1@reader.example')).toBe(2)
  expect(received('reader-4@reader.example')).toBe(1)
  const left = await desk.post(`${path}/uncertain`, { key: `${key}-leave`, decision: 'leave' })
  expect(left.headers.get('location')).toContain('notice=digest-leave')
  expect(await digest()).toEqual({ state: 'completed', accepted: 8, uncertain: 2 })
  expect(await (await desk.get(`${path}?deliveries=uncertain`)).text()).toContain(
    'laissé ainsi par la rédaction',
  )
  const viewer = await signedIn(web, 'viewer')
  expect((await viewer.post(`${path}/uncertain`, { key, decision: 'leave' })).status).toBe(403)
})
