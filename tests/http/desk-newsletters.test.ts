import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb } from '../support/web.ts'

const form = {
  name: 'Le Soir',
  language: 'fr',
  minArticles: '1',
  maxArticles: '12',
  approval: 'one',
  repeats: 'never',
  template: 'digest',
  zone: 'Africa/Algiers',
}

async function aDesk() {
  const web = await aWeb()
  const { selections } = web.context.services
  await selections.create(
    'section',
    { slug: 'culture', names: { fr: 'Culture', ar: 'ثقافة' } },
    { kind: 'system', role: 'admin' },
  )
  await selections.create(
    'section',
    { slug: 'la-mer', names: { fr: 'La mer & le port', ar: 'البحر' } },
    { kind: 'system', role: 'admin' },
  )
  await selections.create(
    'dossier',
    { slug: 'le-phare', names: { fr: 'Le phare', ar: 'المنارة' } },
    { kind: 'system', role: 'admin' },
  )
  await anArticle(web.context.database, { tags: ['musique', 'quais'] })
  const desk = await signedIn(web, 'admin')
  return { web, desk, newsletters: web.context.services.newsletters }
}

/** The values of a page's ticked boxes and chosen options of this name. */
const chosenIn = (html: string, name: string): string[] => {
  const boxes = html.matchAll(new RegExp(`name="${name}" value="([^"]+)" checked`, 'g'))
  const selects = html.matchAll(new RegExp(`<select name="${name}">.*?</select>`, 'gs'))
  const options = [...selects].flatMap(([select]) => [...select.matchAll(/value="([^"]+)" selected/g)])
  return [...boxes, ...options].map((found) => found[1] ?? '')
}

test('sections, dossiers and tags are chosen by name, in the language of the desk', async () => {
  const { desk } = await aDesk()
  const french = await (await desk.get('/newsletters/new')).text()
  for (const name of ['Culture', 'La mer &amp; le port', 'Le phare', 'musique', 'quais'])
    expect(french).toContain(`<bdi>${name}</bdi>`)
  await desk.post('/settings/language', { language: 'ar' })
  const arabic = await (await desk.get('/newsletters/new')).text()
  for (const name of ['ثقافة', 'البحر', 'المنارة']) expect(arabic).toContain(`<bdi>${name}</bdi>`)
})

test('what is ticked is what the newsletter draws from, and is ticked when the form opens again', async () => {
  const { desk, newsletters } = await aDesk()
  const created = await desk.post('/newsletters/new', [
    ...Object.entries({ ...form, slug: 'le-soir', moreTags: 'Élections locales, quais' }),
    ['sections', 'culture'],
    ['sections', 'la-mer'],
    ['tags', 'quais'],
    ['blocks', 'lead'],
    ['blocks', ''],
    ['blocks', 'dossier le-phare'],
    ['cadences', 'daily'],
  ])
  expect(created.status).toBe(303)
  expect(await newsletters.get('le-soir')).toMatchObject({
    sections: ['culture', 'la-mer'],
    dossiers: [],
    tags: ['quais', 'elections-locales'],
    blocks: [{ kind: 'lead' }, { kind: 'dossier', slug: 'le-phare' }],
  })
  const html = await (await desk.get('/newsletters/le-soir')).text()
  expect(chosenIn(html, 'sections')).toEqual(['culture', 'la-mer'])
  expect(chosenIn(html, 'dossiers')).toEqual([])
  expect(chosenIn(html, 'tags').sort()).toEqual(['elections-locales', 'quais'])
  expect(chosenIn(html, 'blocks')).toEqual(['lead', 'dossier le-phare'])
  await desk.post('/newsletters/le-soir', { ...form })
  expect(await newsletters.get('le-soir')).toMatchObject({ sections: [], tags: [], blocks: [] })
})

test('a section that nothing has yet, and a language given up, stay chosen', async () => {
  const { web, desk } = await aDesk()
  const { slug } = await aNewsletter(web.context.database, { sections: ['a-venir'], language: 'en' })
  const html = await (await desk.get(`/newsletters/${slug}`)).text()
  expect(chosenIn(html, 'sections')).toEqual(['a-venir'])
  expect(chosenIn(html, 'language')).toEqual(['en'])
})

const faulty: [string, Record<string, string>, string][] = [
  ['zone', { zone: 'Port-Clair', slug: 'le-soir' }, 'Le fuseau'],
  ['minArticles', { minArticles: '20', slug: 'le-soir' }, 'Au moins'],
  ['slug', { slug: 'Le soir !' }, 'L’identifiant'],
  ['slug', { slug: 'taken' }, 'L’identifiant'],
  ['times', { times: '07:00, midi', slug: 'le-soir' }, 'Les heures'],
  ['anchor', { rhythm: 'weeks', slug: 'le-soir' }, 'La date d’une semaine'],
  ['name', { name: 'x'.repeat(201), slug: 'le-soir' }, 'Le nom'],
]

test.for(faulty)(
  'a fault in %s is named (422), and nothing typed or ticked is lost',
  async ([field, change, said]) => {
    const { web, desk, newsletters } = await aDesk()
    await aNewsletter(web.context.database, { slug: 'taken' })
    const answer = await desk.post('/newsletters/new', [
      ...Object.entries({ ...form, subject: 'Ce soir', weekday: '5', moreTags: 'élections', ...change }),
      ['sections', 'la-mer'],
      ['dossiers', 'le-phare'],
      ['tags', 'musique'],
      ['blocks', 'section culture'],
      ['cadences', 'daily'],
      ['cadences', 'weekly'],
    ])
    expect(answer.status).toBe(422)
    const html = await answer.text()
    expect(html).toMatch(new RegExp(`role="alert">.*${said}`, 's'))
    expect(html).toMatch(new RegExp(`name="${field}"[^>]* aria-invalid="true"`))
    expect(chosenIn(html, 'sections')).toEqual(['la-mer'])
    expect(chosenIn(html, 'dossiers')).toEqual(['le-phare'])
    expect(chosenIn(html, 'tags')).toEqual(['musique'])
    expect(chosenIn(html, 'blocks')).toEqual(['section culture'])
    expect(chosenIn(html, 'cadences')).toEqual(['daily', 'weekly'])
    expect(chosenIn(html, 'weekday')).toEqual(['5'])
    expect(chosenIn(html, 'approval')).toEqual(['one'])
    for (const typed of ['Ce soir', 'élections']) expect(html).toContain(`value="${typed}"`)
    expect(await newsletters.list()).toHaveLength(1)
  },
)

test('a fault when changing a newsletter shows its own form again', async () => {
  const { web, desk } = await aDesk()
  const { slug } = await aNewsletter(web.context.database, { sections: ['culture'] })
  const answer = await desk.post(`/newsletters/${slug}`, { ...form, maxArticles: '0', sections: 'la-mer' })
  expect(answer.status).toBe(422)
  const html = await answer.text()
  expect(html).toContain(`action="/desk/newsletters/${slug}"`)
  expect(chosenIn(html, 'sections')).toEqual(['la-mer'])
})

test('a schedule is filled in, kept, shown in words and filled in again', async () => {
  const { web, desk, newsletters } = await aDesk()
  const written = [
    ...Object.entries({ ...form, slug: 'le-soir', times: '18h، ٧:٠٠', weekday: '5', time: '17:00' }),
    ...Object.entries({ rhythm: 'month', ofMonth: 'last', dailySkip: '2036-12-25\n2036-12-26' }),
    ...['daily', 'weekly'].map((cadence) => ['cadences', cadence]),
    ...['', '1', '2', '3'].map((day) => ['weekdays', day]),
  ] as [string, string][]
  expect((await desk.post('/newsletters/new', written)).status).toBe(303)
  const { schedules } = await newsletters.get('le-soir')
  const zone = 'Africa/Algiers'
  expect(schedules).toEqual([
    {
      cadence: 'daily',
      weekdays: [1, 2, 3],
      times: ['07:00', '18:00'],
      zone,
      skip: ['2036-12-25', '2036-12-26'],
    },
    { cadence: 'weekly', weekday: 5, time: '17:00', every: 1, anchor: null, ofMonth: 'last', zone, skip: [] },
  ])
  const html = await (await desk.get('/newsletters/le-soir')).text()
  for (const name of ['weekdays', 'rhythm', 'ofMonth', 'cadences'])
    expect(chosenIn(html, name)).toEqual(
      written.flatMap(([one, value]) => (one === name && value ? [value] : [])),
    )
  expect(html).toContain('value="07:00, 18:00"')
  expect(html).toContain('2036-12-25\n2036-12-26')
  const page = await (await web.fetch('/newsletters/le-soir')).text()
  expect(page).toContain('Paraît du lundi au mercredi à 07:00 et 18:00, sauf à ces dates')
  expect(page).toContain('le dernier vendredi du mois à 17:00')

  const without = written.map(([name, value]) => [name, name === 'weekdays' ? '' : value] as [string, string])
  const refused = await desk.post('/newsletters/le-soir', without)
  expect(refused.status).toBe(422)
  expect(await refused.text()).toContain('cochez au moins un jour')
})

test('a cadence that readers have is not taken away: the form counts them', async () => {
  const { web, desk } = await aDesk()
  const { slug } = await aNewsletter(web.context.database)
  const newsletter = await web.context.services.newsletters.get(slug)
  await aSubscriber(web.context.database, { newsletter })
  const answer = await desk.post(`/newsletters/${slug}`, { ...form, cadences: 'alert' })
  expect(answer.status).toBe(422)
  expect(await answer.text()).toContain('Un rythme retiré a encore 1 lecteur')
})

test('a newsletter without a slug of its own has one made from its name', async () => {
  const { desk, newsletters } = await aDesk()
  const created = await desk.post('/newsletters/new', {
    ...form,
    name: 'L’Été à Marsa',
    slug: '',
    cadences: 'daily',
  })
  expect(created.status).toBe(303)
  expect((await newsletters.get('l-ete-a-marsa')).name).toBe('L’Été à Marsa')
})
