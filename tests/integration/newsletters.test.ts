import { expect, test } from 'vitest'
import { createNewsletterService } from '../../src/services/newsletters/newsletters.ts'
import { aDatabase } from '../support/database.ts'
import { aMail, dkimKeys } from '../support/mail.ts'
import { aNewsletter } from '../support/newsletters.ts'

const cli = { kind: 'cli', role: 'admin' } as const
const config = { publicUrl: 'https://rivage.example' } as never
const mail = aMail()

test('a newsletter is created with its cadences, read back, and listed in the publication’s order', async () => {
  const database = await aDatabase()
  const newsletters = createNewsletterService({ config, database, mail })
  const created = await newsletters.create(
    {
      slug: 'as-sabah',
      name: 'الصباح',
      language: 'ar',
      position: 2,
      blocks: [{ kind: 'lead' }, { kind: 'section', slug: 'ثقافة' }, { kind: 'most-read' }],
      cadences: [
        { cadence: 'alert', maxPerDay: 2 },
        { cadence: 'weekly', weekday: 5, time: '18:30', zone: 'Africa/Algiers' },
      ],
    },
    cli,
  )
  await aNewsletter(database, { slug: 'le-matin', position: 1 })
  expect(created).toMatchObject({ slug: 'as-sabah', maxArticles: 12, subject: null })
  expect(created.cadences).toEqual([
    { cadence: 'weekly', weekday: 5, time: '18:30', zone: 'Africa/Algiers' },
    { cadence: 'alert', maxPerDay: 2 },
  ])
  expect(await newsletters.get('as-sabah')).toEqual(created)
  expect((await newsletters.list()).map((newsletter) => newsletter.slug)).toEqual(['le-matin', 'as-sabah'])
})

test('a change keeps what it leaves out, and null clears a text of its own', async () => {
  const database = await aDatabase()
  const newsletters = createNewsletterService({ config, database, mail })
  const { slug } = await aNewsletter(database, { subject: 'Votre matin', sections: ['culture'] })
  expect(await newsletters.change(slug, { subject: null, maxArticles: 5 }, cli)).toMatchObject({
    subject: null,
    maxArticles: 5,
    sections: ['culture'],
    cadences: [{ cadence: 'daily' }, { cadence: 'alert' }],
  })
})

test('a taken slug, an unknown zone, two dailies, a header injection and a minimum above the maximum are refused', async () => {
  const database = await aDatabase()
  const newsletters = createNewsletterService({ config, database, mail })
  const base = { slug: 'le-matin', name: 'Le Matin', language: 'fr' }
  await newsletters.create(base, cli)
  await expect(newsletters.create(base, cli)).rejects.toMatchObject({ code: 'newsletter_exists' })
  const other = { ...base, slug: 'autre' }
  const daily = { cadence: 'daily', time: '07:00', zone: 'Africa/Algiers' } as const
  await expect(
    newsletters.create({ ...other, cadences: [{ ...daily, zone: 'Mars/Base' }] }, cli),
  ).rejects.toThrow('IANA')
  await expect(newsletters.create({ ...other, cadences: [daily, daily] }, cli)).rejects.toThrow('once')
  await expect(newsletters.create({ ...other, name: 'a\r\nBcc: b@c.example' }, cli)).rejects.toThrow(
    'one line',
  )
  await expect(newsletters.create({ ...other, minArticles: 5, maxArticles: 4 }, cli)).rejects.toMatchObject({
    code: 'min_exceeds_max',
  })
  await expect(newsletters.get('autre')).rejects.toMatchObject({ code: 'no_newsletter' })
})

test('HDR-2 a newsletter comes from one address of the organisation that signs', async () => {
  const database = await aDatabase()
  const signed = aMail({ dkim: dkimKeys() })
  const newsletters = createNewsletterService({ config, database, mail: signed })
  const { slug } = await aNewsletter(database)
  for (const from of ['matin@news.example.org', 'Le Matin <matin@lettres.NEWS.example.org>', 'a@example.org'])
    expect(await newsletters.change(slug, { from }, cli)).toMatchObject({ from })
  for (const from of ['a@evilexample.org', 'a@news.example.org.evil.example', 'Le Matin <a@mail.example>']) {
    await expect(newsletters.change(slug, { from }, cli), from).rejects.toMatchObject({
      code: 'unaligned_sender',
    })
    const other = { slug: 'autre', name: 'Autre', language: 'fr', from }
    await expect(newsletters.create(other, cli), from).rejects.toMatchObject({ code: 'unaligned_sender' })
  }
  const malformed = ['Le Matin', 'Matin', 'a@news.example.org, b@news.example.org', '<a@news.example.org> x']
  for (const from of [...malformed, 'Rédaction <rédaction@news.example.org>'])
    await expect(newsletters.change(slug, { from }, cli), from).rejects.toMatchObject({
      code: 'invalid_sender',
    })
  // Without a signature of ours, whoever signs behind us is not ours to judge.
  const unsigned = createNewsletterService({ config, database, mail })
  expect(await unsigned.change(slug, { from: 'a@mail.example' }, cli)).toMatchObject({
    from: 'a@mail.example',
  })
  // What was right before the keys changed stays in nobody's way.
  expect(await newsletters.change(slug, { name: 'Midi', from: 'a@mail.example' }, cli)).toMatchObject({
    name: 'Midi',
  })
})
