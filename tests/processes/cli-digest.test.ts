import { expect, test } from 'vitest'
import type { DigestShape } from '../../src/services/digests/shape.ts'
import { anArticle } from '../support/articles.ts'
import { query } from '../support/query.ts'
import { depeche } from '../support/cli.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

test('newsletter create and list; digest compose, preview, send, pause, status: the same as over HTTP', async () => {
  const web = await aWeb()
  const { config, database, services } = web.context
  const url = config.databaseUrl
  const created = await depeche(url, [
    ...['newsletter', 'create', 'hebdo', '--name', 'L’Hebdo', '--language', 'fr'],
    ...['--daily', '07:00', '--weekly', '5@18:00', '--alerts', '--json'],
  ])
  expect(JSON.parse(created.stdout)).toMatchObject({
    slug: 'hebdo',
    cadences: [
      { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' },
      { cadence: 'weekly', weekday: 5, time: '18:00' },
      { cadence: 'alert' },
    ],
  })
  const newsletter = await services.newsletters.get('hebdo')
  const { id: newsletterId, createdAt: _c, updatedAt: _u, ...kept } = newsletter
  await anArticle(database, { externalId: 'a', title: 'Le phare se rallume' })
  await database.stores.newsletters.update(newsletterId, { ...kept, beganAt: new Date(0) })
  await aSubscriber(database, { newsletter })
  expect((await depeche(url, ['newsletter', 'list'])).stdout).toMatch(
    /^hebdo {2}fr {2}every day at 07:00 \(.+\); every Friday at 18:00 \(.+\); alerts {2}1 {2}L’Hebdo\n$/,
  )
  const [listed] = JSON.parse((await depeche(url, ['newsletter', 'list', '--json'])).stdout) as object[]
  expect(Object.keys(listed ?? {})).toEqual(Object.keys(services.newsletters.toShape(newsletter)))

  const composed = await depeche(url, ['digest', 'compose', 'hebdo', '--json'])
  const { id } = JSON.parse(composed.stdout) as DigestShape
  const preview = await depeche(url, ['digest', 'preview', String(id)])
  expect(preview.stdout).toContain('Le phare se rallume')
  expect((await depeche(url, ['digest', 'preview', String(id), '--format', 'mime'])).stdout).toContain(
    'List-Id:',
  )
  const sent = await depeche(url, ['digest', 'send', String(id)])
  expect(sent).toMatchObject({ code: 0, stdout: `Digest ${id} is on its way to 1 readers.\n` })
  expect(sent.stderr).toContain('No worker runs')
  expect(sent.stderr).not.toContain('restore confirm')
  await services.preparing.prepare(id)
  expect((await depeche(url, ['digest', 'pause', String(id)])).stdout).toBe(
    `Digest ${id} is paused. 0 of 1 sent, 1 not.\n`,
  )
  expect((await depeche(url, ['digest', 'status', String(id)])).stdout).toMatch(
    /state {5}paused: by hand\naudience {2}1: 0 sent, 1 not\n[^]*\nbegan {5}\d{4}-\d\d-\d\d \d\d:\d\d UTC\n/,
  )
  expect((await depeche(url, ['digest', 'status'])).stdout).toContain('Le phare se rallume')

  const copy = JSON.parse(
    (await depeche(url, ['digest', 'compose', 'hebdo', '--json'])).stdout,
  ) as DigestShape
  await query(url, `insert into instance_guard (system_identifier, timeline, files) values ('x', 1, 'x')`)
  const held = await depeche(url, ['digest', 'send', String(copy.id)])
  expect(held.stderr).toContain('This database is a copy: nothing goes out until `depeche restore confirm`.')
})

test('wrong use exits 2, a refusal 1, each with its sentence', async () => {
  const url = (await aWeb()).context.config.databaseUrl
  const cases = [
    { args: ['digest', 'send', 'x'], code: 2, says: 'x is no digest' },
    { args: ['digest', 'compose', 'hebdo', '--cadence', 'hourly'], code: 2, says: '--cadence is one of' },
    { args: ['digest', 'compose', 'hebdo'], code: 1, says: 'There is no newsletter hebdo' },
    { args: ['digest', 'cancel', '4711'], code: 1, says: 'There is no such digest' },
    {
      args: ['newsletter', 'create', 'h', '--name', 'H', '--language', 'fr', '--weekly', 'friday'],
      code: 2,
      says: '5@18:00',
    },
  ]
  for (const { args, code, says } of cases) {
    const result = await depeche(url, args)
    expect(result.code, args.join(' ')).toBe(code)
    expect(result.stderr).toContain(says)
    expect(result.stdout).toBe('')
  }
})
