import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import type { NewNewsletter } from '../../src/store/newsletters/newsletters.ts'
import { aNewsroom } from '../support/feeds.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { until } from '../support/until.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const lighthouse = 'Le phare se rallume'
const band = 'La fanfare répète au kiosque'
const port = 'Le port agrandit ses quais'

/** Three stories of three sections, the lighthouse first; a reader of everything, one without it, one of the port alone. */
async function aNewsroomWithReaders(change: Partial<NewNewsletter> = {}) {
  const sink = await aSmtpSink()
  const newsroom = await aNewsroom({ env: { SMTP_URL: sink.url, SMTP_CONNECTIONS: '1' } })
  const { database, services } = newsroom.context
  await services.presence.beat()
  const blocks = [{ kind: 'lead' }, { kind: 'section', slug: 'culture' }] as const
  const newsletter = await aNewsletter(database, { blocks: [...blocks], ...change })
  await newsroom.put('port', { title: port, sections: ['eco'] })
  await newsroom.put('fanfare', { title: band, sections: ['culture'] })
  await newsroom.put('phare', { title: lighthouse, sections: ['monde'] })
  const all = await aSubscriber(database, { newsletter })
  const some = await aSubscriber(database, { newsletter, sections: ['culture', 'eco'] })
  const one = await aSubscriber(database, { newsletter, sections: ['eco'] })
  return {
    ...newsroom,
    newsletter,
    readers: { all, some, one },
    /** Composes, and hands it to the workers. */
    start: async (words: { subject?: string; intro?: string } = {}) => {
      const digest = await services.digests.compose(newsletter.slug, { cadence: 'daily', ...words }, cli)
      const request = { actor: cli, version: () => digest.version, idempotencyKey: 'k', body: {} }
      await services.digestTransitions.send(digest.id, request)
      await services.preparing.prepare(digest.id)
      return digest
    },
    deliver: (id: number) => services.sending.deliverDigest(id),
    mails: () =>
      Promise.all(
        sink.received.map(async ({ to, raw }) => {
          const { subject, text, html } = await simpleParser(raw)
          return { to: to[0], subject, text: text ?? '', html: html || '' }
        }),
      ),
  }
}

test('every mail is called like a story that is in it, and leads with it', async () => {
  const { start, deliver, mails, readers } = await aNewsroomWithReaders()
  const { id, variants } = await start()
  expect(variants.map(({ subject }) => subject).sort()).toEqual([band, lighthouse, port].sort())
  await deliver(id)
  const sent = await mails()
  expect(Object.fromEntries(sent.map(({ to, subject }) => [to, subject]))).toEqual({
    [readers.all.address]: lighthouse,
    [readers.some.address]: band,
    [readers.one.address]: port,
  })
  for (const { subject = '', text, html } of sent) {
    expect(text.split('\n').find((line) => [lighthouse, band, port].includes(line))).toBe(subject)
    expect(html.match(/class="lead-title"/g)).toHaveLength(1)
    for (const title of [lighthouse, band, port]) {
      const isInText = text.includes(title)
      expect(html.includes(title), title).toBe(isInText)
    }
  }
})

test('an editor’s own subject is for all; the desk is told for how many it does not hold', async () => {
  const { context, start, deliver, mails } = await aNewsroomWithReaders()
  const { id, strayQuotes } = await start({ subject: `${lighthouse} !`, intro: 'Bonjour.' })
  expect(strayQuotes).toEqual([{ text: 'subject', article: 'phare', title: lighthouse, readers: 2 }])
  const preview = await context.services.digestPreview.get(id, { format: 'text' })
  expect(preview.strayQuotes).toHaveLength(1)
  await deliver(id)
  expect((await mails()).map(({ subject }) => subject)).toEqual(Array(3).fill(`${lighthouse} !`))
})

test('mails after a withdrawal carry nothing of it, also those that never held the story', async () => {
  const { context, newsletter, start, deliver, mails, readers, ...newsroom } = await aNewsroomWithReaders()
  const { id } = await start({ subject: `${lighthouse} !`, intro: `Bonjour.\n\n${lighthouse}, enfin.` })
  const postpone = `update deliveries set state = 'deferred', next_at = now() + interval '1 hour'
    where digest_id = $1 and subscriber_id <> $2`
  await query(context.config.databaseUrl, postpone, [id, readers.one.id])
  await deliver(id)
  await newsroom.withdraw('phare')
  await query(context.config.databaseUrl, `update deliveries set state = 'pending' where state = 'deferred'`)
  await deliver(id)
  const [before, ...after] = await mails()
  expect(before).toMatchObject({ to: readers.one.address, subject: `${lighthouse} !` })
  expect(after).toHaveLength(2)
  for (const { subject, text, html } of after) {
    expect(subject).toMatch(new RegExp(`^${newsletter.name} · \\d`))
    expect(`${subject} ${text} ${html}`).not.toContain(lighthouse)
    expect(text).toContain('Bonjour.')
  }
})

test('a withdrawn story leaves the archive, its feeds and the web version, and comes back when it is restored', async () => {
  const { newsletter, start, deliver, ...newsroom } = await aNewsroomWithReaders()
  const { id } = await start()
  await deliver(id)
  const base = `/newsletters/${newsletter.slug}`
  const paths = [base, `${base}/rss.xml`, `${base}/atom.xml`, `${base}/feed.json`, `/digests/${id}`]
  const read = () => Promise.all(paths.map(async (path) => (await newsroom.fetch(path)).text()))
  // A feed changes at most once a second.
  const readOnce = async (isThere: boolean) => {
    await until(`each page ${isThere ? 'has' : 'has lost'} the story`, async () => {
      await newsroom.render()
      return (await read()).every((page) => page.includes(lighthouse) === isThere)
    })
    return read()
  }
  const entryOf = (pages: string[]) => /<entry>[^]*<\/entry>/.exec(pages[2] ?? '')?.[0] ?? ''
  const fieldOf = (entry: string, name: string) => new RegExp(`<${name}[^>]*>([^<]*)<`).exec(entry)?.[1] ?? ''
  const before = await readOnce(true)

  await newsroom.withdraw('phare', 'diffamation')
  const during = await readOnce(false)
  for (const [index, page] of during.entries()) {
    expect(page, paths[index]).not.toContain('le-phare-se-rallume')
    expect(page, paths[index]).toContain(band)
  }
  expect(during[4]).toContain(`<title>${band}</title>`)
  const [first, second] = [entryOf(before), entryOf(during)]
  expect([fieldOf(second, 'id'), fieldOf(second, 'published')]).toEqual([
    fieldOf(first, 'id'),
    fieldOf(first, 'published'),
  ])
  expect(fieldOf(second, 'title')).toBe(band)
  expect(Date.parse(fieldOf(second, 'updated'))).toBeGreaterThan(Date.parse(fieldOf(first, 'updated')))

  await newsroom.put('phare', { title: lighthouse, sections: ['monde'], state: 'published' })
  const after = await readOnce(true)
  expect(Date.parse(fieldOf(entryOf(after), 'updated'))).toBeGreaterThan(
    Date.parse(fieldOf(second, 'updated')),
  )
})
