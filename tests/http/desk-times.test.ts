import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const cli = { kind: 'cli', role: 'admin' } as const

/** Five readers, in the publication’s zone, which is an hour ahead; with `stories`, a draft of one. */
async function aDesk({ stories = 1 } = {}) {
  const web = await aWeb()
  const { database, services, config } = web.context
  await services.publication.set(
    { name: 'Le Rivage', languages: ['fr'], postalAddress: '1, quai', zone: 'Africa/Algiers' },
    cli,
  )
  const newsletter = await aNewsletter(database, { approval: 'one' })
  if (stories > 0) await anArticle(database, { title: 'Le phare se rallume', sections: ['monde'] })
  if (stories > 1) await anArticle(database, { title: 'La fanfare répète', sections: ['culture'] })
  const readers = []
  for (let n = 0; n < 5; n++)
    readers.push(await aSubscriber(database, { newsletter, ...(n === 4 && { sections: ['culture'] }) }))
  const sql = (statement: string, values: unknown[] = []) => query(config.databaseUrl, statement, values)
  const desk = await signedIn(web, 'editor')
  const { id } = await services.digests.compose(newsletter.slug, { cadence: 'daily' }, cli)
  // Without the spaces that French does not break.
  const page = async (path = `/digests/${id}`) =>
    (await (await desk.get(path)).text()).replaceAll('\u00a0', ' ')
  return { web, services, newsletter, readers, sql, desk, id, page }
}

/** Approved by the editor of the desk and prepared; two of five have it. */
async function aHalfSentDigest(options = {}) {
  const room = await aDesk(options)
  const { services, desk, id, sql } = room
  const actor = { kind: 'editor', id: desk.editorId, role: 'editor' } as const
  const { version } = await services.digestTransitions.approve(
    id,
    (await services.digests.get(id)).version,
    actor,
  )
  await services.digestTransitions.send(id, {
    actor: cli,
    version: () => version,
    idempotencyKey: 'k',
    body: {},
  })
  await services.preparing.prepare(id)
  await sql(`update digests set created_at = '2026-11-26T05:01:00Z', started_at = '2026-11-27T23:36:00Z'`)
  await sql(
    `update deliveries set state = 'accepted', accepted_at = '2026-11-27T23:39:00Z'
     where subscriber_id in (select subscriber_id from deliveries order by 1 limit 2)`,
  )
  return room
}

test('times are when mail was sent, on the person’s page, in the explanation and on the digest’s page', async () => {
  const { sql, page, id, readers, services } = await aHalfSentDigest()
  const person = await page(`/subscribers/${readers[0]?.id}`)
  expect(person).toMatch(/<td>28 novembre 2026 à 00:39<\/td><td><a href="\/desk\/digests\/\d+">/)
  expect(person).not.toContain('26 novembre')
  const explained = await page(`/digests/${id}?explain=${readers[0]?.address}`)
  expect(explained).toMatch(/<\/strong> · Le serveur a accepté l’e-mail\.\s+28 novembre 2026 à 00:39/)
  expect(await page()).toContain('Début : 28 novembre 2026 à 00:36')
  await services.digestTransitions.cancel(id, cli)
  await sql(`update digests set completed_at = '2026-11-27T23:44:00Z'`)
  expect(await page()).toContain('Début : 28 novembre 2026 à 00:36 · fin : 28 novembre 2026 à 00:44')
})

test('paused or cancelled, the numbers say who was sent it and who was not', async () => {
  const { services, id, page, web } = await aHalfSentDigest()
  const call = await web.api('viewer')
  const read = async () => (await call('GET', `/digests/${id}`)).json()
  expect(await page()).toContain('<strong data-done>2 sur 5</strong>')
  await services.digestTransitions.pause(id, cli)
  expect(await page()).toContain('Envoyés : 2 sur 5 · pas encore : 3')
  expect(await read()).toMatchObject({ state: 'paused', sent: 2, unsent: 3 })
  await services.digestTransitions.cancel(id, cli)
  expect(await page()).toContain('Envoyés : 2 sur 5 · non envoyés : 3')
  expect(await page('/')).toContain('Envoyés : 2 sur 5 · non envoyés : 3')
  expect(await read()).toMatchObject({ state: 'cancelled', sent: 2, unsent: 3 })
  expect(await services.digestProgress.get(id)).toMatchObject({ sent: 2, unsent: 3, done: 5 })
})

test('who approved is an address on the desk, also once they have left it, and an actor in the API', async () => {
  const { id, page, desk, sql, web } = await aHalfSentDigest()
  const [{ email = '' } = {}] = (await sql('select email from editors where id = $1', [desk.editorId])) as {
    email?: string
  }[]
  expect(await page()).toContain(`Approuvé par \u2068${email}\u2069.`)
  const call = await web.api('viewer')
  expect(await (await call('GET', `/digests/${id}`)).json()).toMatchObject({
    approval: { approvedBy: `editor:${desk.editorId}` },
  })
  const other = await signedIn(web, 'viewer')
  await sql('update editors set removed_at = now() where id = $1', [desk.editorId])
  expect(await (await other.get(`/digests/${id}`)).text()).toContain(email)
})

test('an empty draft says why it cannot be sent and what to do, and Today does not offer to send it', async () => {
  const { services, newsletter, page, id, web } = await aDesk({ stories: 0 })
  expect(await page()).toContain('donc pas de bouton d’envoi')
  const [next] = await services.digests.listNext(newsletter.slug)
  const card = async () =>
    new RegExp(`<a role="button"[^>]*href="/desk/digests/${next?.id}">[^<]*`).exec(await page('/'))?.[0]
  expect(await card()).toMatch(/class="quiet".*Ouvrir le brouillon/)
  await anArticle(web.context.database)
  expect(await card()).not.toContain('quiet')
  expect(await card()).toContain('Relire et envoyer')
  expect(await page(`/digests/${id}`)).not.toContain('pas de bouton d’envoi')
})

test('the desk says for how many readers an own subject does not hold, and in which version', async () => {
  const { services, id, page } = await aDesk({ stories: 2 })
  expect(await page()).not.toContain('y est cité')
  const { version } = await services.digests.get(id)
  await services.digests.change(id, { subject: 'Le phare se rallume enfin' }, version, cli)
  const shown = await page()
  expect(shown).toContain('Objet : « \u2068Le phare se rallume\u2069 » y est cité, mais 1 personne')
  expect(shown).toMatch(/Version pour 1 personne – sans « Le phare se rallume »<\/option>/)
  expect(shown).toMatch(/Version pour 4 personnes<\/option>/)
})
