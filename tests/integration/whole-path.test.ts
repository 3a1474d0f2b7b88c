import { simpleParser } from 'mailparser'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createLogger } from '../../src/log.ts'
import { startWorking } from '../../workers/working.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aRedis } from '../support/redis.ts'
import { aSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { aWeb, type Web } from '../support/web.ts'

const reader = 'amina@reader.example'
const polling = { timeout: 60_000, interval: 50 }

const backends: Record<string, () => Promise<Record<string, string>>> = {
  redis: async () => ({ REDIS_URL: (await aRedis()).url }),
  postgres: () => Promise.resolve({}),
}

async function aService(env: Record<string, string>) {
  const lines: string[] = []
  const log = createLogger('trace', 'web', { destination: { write: (line) => lines.push(line) } })
  const sink = await aSmtpSink()
  const web = await aWeb({ env: { SMTP_URL: sink.url, FEED_LIMIT: 'off', ...env }, log })
  // As src/server.ts does before it listens.
  await web.context.services.feedMemory.start()
  const working = await startWorking(web.context)
  onTestFinished(() => working.drain())
  return { web, sink, lines }
}

async function mailTo(sink: SmtpSink, address: string, count: number) {
  await vi.waitFor(() => {
    expect(sink.received.filter((mail) => mail.to.includes(address))).toHaveLength(count)
  }, polling)
  const raw = sink.received.filter((mail) => mail.to.includes(address))[count - 1]?.raw ?? Buffer.alloc(0)
  return simpleParser(raw)
}

const linksIn = (text: string | undefined): string[] => text?.match(/https?:\/\/\S+/g) ?? []

/** Signs up by JSON and clicks the mailed link in the same browser. @returns the links of the mail */
async function subscribe(web: Web, sink: SmtpSink, newsletter: string): Promise<string[]> {
  const signup = await web.fetch('/subscribe', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ email: reader, newsletters: [newsletter], language: 'fr' }),
  })
  expect(signup.status).toBe(202)
  expect(await signup.json()).toEqual({ status: 'check-your-inbox' })
  const cookie = (signup.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''

  const mail = await mailTo(sink, reader, 1)
  const links = linksIn(mail.text)
  const activate = links.find((link) => link.includes('/activate/') && !link.includes('refuse')) ?? ''
  const activated = await web.fetch(new URL(activate).pathname, { headers: { cookie } })
  expect(activated.status).toBe(200)
  return links
}

describe.each(Object.keys(backends))('the whole path on %s', (name) => {
  test('an article is read as RSS, a reader signs up and activates, a digest reaches them once; P14 no log line names them', async () => {
    const { web, sink, lines } = await aService(
      await (backends[name] as () => Promise<Record<string, string>>)(),
    )
    const newsletter = await aNewsletter(web.context.database, { slug: 'le-matin' })
    const editor = await web.api('editor')

    const article = {
      title: 'Le phare se rallume & brille',
      html: '<p>Depuis hier soir.</p>',
      language: 'fr',
    }
    expect((await editor('PUT', '/articles/phare:1', article)).status).toBe(201)
    await vi.waitFor(async () => {
      expect(await (await web.fetch('/rss.xml')).text()).toContain('<title>Le phare se rallume')
    }, polling)

    const activationLinks = await subscribe(web, sink, newsletter.slug)

    const composed = await editor('POST', '/newsletters/le-matin/digests', { cadence: 'daily' })
    const digest = (await composed.json()) as { id: number; audience: number }
    expect(composed.status).toBe(201)
    const read = await editor('GET', `/digests/${digest.id}`)
    const sent = await editor('POST', `/digests/${digest.id}/send`, undefined, {
      'if-match': read.headers.get('etag') ?? '',
      'idempotency-key': 'first',
    })
    expect(sent.status).toBe(202)

    const mail = await mailTo(sink, reader, 2)
    expect(mail.text).toContain('Le phare se rallume & brille')
    expect(mail.headerLines.find(({ key }) => key === 'list-unsubscribe-post')?.line).toBe(
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    )
    await vi.waitFor(async () => {
      const after = (await (await editor('GET', `/digests/${digest.id}`)).json()) as {
        state: string
        audience: number
        counts: Record<string, number>
      }
      expect(after.state).toBe('completed')
      expect(after.audience).toBe(1)
      expect(after.counts).toMatchObject({ accepted: 1 })
    }, polling)
    expect(sink.received.filter(({ to }) => to.includes(reader))).toHaveLength(2)

    const secrets = [...activationLinks, ...linksIn(mail.text)]
      .filter((link) => /\/(activate|unsubscribe|preferences)\//.test(link))
      .map((link) => new URL(link).pathname.split('/').at(-1) ?? '')
    expect(secrets.length).toBeGreaterThan(2)
    expect(lines.length).toBeGreaterThan(5)
    for (const line of lines) {
      expect(line).not.toContain(reader)
      for (const secret of secrets) expect(line).not.toContain(secret)
    }
  })
})
