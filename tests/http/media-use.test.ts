import { expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { signedIn, type DeskClient } from '../support/desk.ts'
import { aNewsroom } from '../support/feeds.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { aPicture, aWebWithPictures, makePictures, upload } from '../support/pictures.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const story = { title: 'Le bac', html: '<p>Le bac reprend.</p>', language: 'fr' }

test('a picture of ours is shown in its sizes on the page, with its type and bytes in feeds, and small in mails', async () => {
  const web = await aNewsroom()
  await makePictures(web)
  const picture = await upload(web, aPicture(1_200, 800))
  const call = await web.api('editor')
  // What is said of it is put right.
  const said = { url: picture.url, alt: 'Le bac au quai', type: 'image/gif', width: 7, length: 7 }
  const put = await call('PUT', '/articles/bac', { ...story, picture: said })
  const article = (await put.json()) as { slug: string; picture: { length: number } }
  const served = await (await web.fetch(new URL(picture.url).pathname)).arrayBuffer()
  const facts = { type: 'image/jpeg', width: 1_200, height: 800, length: served.byteLength }
  expect(article.picture).toEqual({ url: picture.url, alt: 'Le bac au quai', ...facts })

  const path = `/media/${picture.sha256}`
  const page = await (await web.fetch(`/articles/${article.slug}`)).text()
  expect(page).toContain(`srcset="${path}-480.webp 480w, ${path}-960.webp 960w, ${path}-1600.webp 1200w"`)
  expect(page).toContain('width="1200" height="800"')
  expect(await (await web.fetch('/')).text()).toContain(`${path}-960.webp 960w`)

  await web.render()
  expect(await (await web.fetch('/rss.xml')).text()).toMatch(
    new RegExp(
      `<media:content url="${picture.url}" medium="image" type="image/jpeg" fileSize="${facts.length}" width="1200" height="800"`,
    ),
  )

  const newsletter = await aNewsletter(web.context.database, { blocks: [{ kind: 'lead' }] })
  await aSubscriber(web.context.database, { newsletter })
  const composed = await call('POST', `/newsletters/${newsletter.slug}/digests`, { cadence: 'daily' })
  const { id } = (await composed.json()) as { id: number }
  const mail = await (await call('GET', `/digests/${id}/preview`)).text()
  expect(mail).toContain(`src="${web.origin}${path}-960.jpg" alt="Le bac au quai" width="576" height="384"`)

  const nowhere = `${web.origin}/media/${'0'.repeat(64)}-1600.jpg`
  const refused = await call('PUT', '/articles/other', { ...story, picture: { url: nowhere } })
  expect([refused.status, await refused.json()]).toMatchObject([422, { code: 'no_media' }])
})

/** Posts a form with files, as a browser without JavaScript does. */
async function submit(web: Web, desk: DeskClient, path: string, fields: Record<string, string | Blob>) {
  const form = new FormData()
  form.set('csrf', desk.csrf)
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return web.fetch(`/desk${path}`, {
    method: 'POST',
    body: form,
    headers: { cookie: desk.cookie, accept: 'text/html' },
  })
}

const valueOf = (page: string, name: string) =>
  new RegExp(`name="${name}"[^>]* value="([^"]*)"`).exec(page)?.[1]

test('on the desk a picture is chosen by a form without JavaScript, and one that comes back at fault has kept it', async () => {
  const web = await aWebWithPictures()
  const desk = await signedIn(web, 'editor')
  const jpeg = new Blob([new Uint8Array(await aPicture(600, 400).jpeg().toBuffer())])
  const other = new Blob([new Uint8Array(await aPicture(1_700, 400).jpeg().toBuffer())])
  const fields = {
    version: '0',
    title: 'Le bac',
    markdown: 'Le bac reprend.',
    language: 'fr',
    state: 'published',
    url: '',
    credit: 'Lina Marsa',
  }
  const path = '/articles/desk:1'
  const broken = await submit(web, desk, path, { ...fields, alt: 'Le bac', picture: new Blob(['<svg/>']) })
  expect([broken.status, await broken.text()]).toEqual([
    422,
    expect.stringContaining('JPEG, PNG, WebP, GIF ou AVIF.</small>'),
  ])

  const faulty = await submit(web, desk, path, { ...fields, alt: '', picture: jpeg })
  const page = await faulty.text()
  expect(faulty.status).toBe(422)
  const url = valueOf(page, 'url') ?? ''
  expect(url).toMatch(/\/media\/[0-9a-f]{64}-960\.jpg$/)
  expect(page).toContain(`<img class="chosen" src="${url}"`)

  const wordless = await submit(web, desk, `${path}/picture`, {
    ...fields,
    url,
    textPicture: other,
    textAlt: '',
  })
  const textUrl = valueOf(await wordless.text(), 'textUrl') ?? ''
  expect([wordless.status, textUrl]).toEqual([422, expect.stringMatching(/-960\.jpg$/)])
  const added = await submit(web, desk, `${path}/picture`, {
    ...fields,
    url,
    textUrl,
    textAlt: 'Le [vieux] port',
  })
  const line = `![Le \\[vieux\\] port](${textUrl})`
  expect([added.status, await added.text()]).toEqual([
    200,
    expect.stringContaining(`Le bac reprend.\n\n${line}\n</textarea>`),
  ])
  expect(await rowsOf(web, 'select from articles')).toEqual([])

  const markdown = `${fields.markdown}\n\n${line}\n`
  const saved = await submit(web, desk, path, { ...fields, url, alt: 'Le bac', markdown })
  expect(saved.status).toBe(303)
  const [row] = await rowsOf<{ width: string; credit: string; html: string }>(
    web,
    `select picture->>'width' as width, picture->>'credit' as credit, html from articles`,
  )
  expect(row).toMatchObject({ width: '600', credit: 'Lina Marsa' })
  expect(row?.html).toContain(`<img width="960" height="226" alt="Le [vieux] port" src="${textUrl}"`)
})

test('a letter takes a picture into its words by its own form', async () => {
  const web = await aWebWithPictures()
  const desk = await signedIn(web, 'editor')
  const newsletter = await aNewsletter(web.context.database)
  const call = await web.api('editor')
  const letter = { kind: 'letter', subject: 'Bonjour', intro: 'Chers lecteurs' }
  const composed = await call('POST', `/newsletters/${newsletter.slug}/digests`, letter)
  const { id, version } = (await composed.json()) as { id: number; version: number }
  const jpeg = new Blob([new Uint8Array(await aPicture(600, 400).jpeg().toBuffer())])
  const fields = {
    version: String(version),
    subject: 'Bonjour',
    preheader: '',
    intro: 'Chers **lecteurs**',
    textPicture: jpeg,
  }
  const path = `/digests/${id}/texts`
  const wordless = await submit(web, desk, path, { ...fields, textAlt: '' })
  const page = await wordless.text()
  expect([wordless.status, page]).toEqual([422, expect.stringContaining('Chers **lecteurs**</textarea>')])
  const textUrl = valueOf(page, 'textUrl') ?? ''
  const { textPicture: _, ...words } = fields
  const saved = await submit(web, desk, path, { ...words, textUrl, textAlt: 'Le bac' })
  expect(saved.status).toBe(303)
  const mail = await (await call('GET', `/digests/${id}/preview`)).text()
  expect(mail).toMatch(new RegExp(`<img[^>]* width="536" alt="Le bac" src="${textUrl}"`))
})

test('what is used nowhere goes after thirty days, whatever uses it keeps it; doctor tells what it weighs', async () => {
  let now = new Date()
  const web = await aWeb({ now: () => now })
  const [lead, inText, inIntro, welcome, logo, unused] = ['a1', 'b2', 'c3', 'd4', 'e5', 'f6'].map((n) =>
    n.repeat(32),
  )
  for (const sha256 of [lead, inText, inIntro, welcome, logo, unused]) {
    const values = [Buffer.from(sha256 ?? '', 'hex'), now]
    await rowsOf(
      web,
      `insert into media (sha256, state, type, width, height, length, used_at)
       values ($1, 'made', 'image/jpeg', 300, 200, 500000000, $2)`,
      values,
    )
    await rowsOf(
      web,
      `insert into media_files values ($1, 480, 'jpg', 300, 200, '\\x00')`,
      values.slice(0, 1),
    )
  }
  const urlOf = (sha256 = '') => `${web.origin}/media/${sha256}-480.jpg`
  const call = await web.api('editor')
  const put = (id: string, body: object) =>
    call('PUT', `/articles/${id}`, { title: id, language: 'fr', ...body })
  await put('a', { markdown: 'Le bac', picture: { url: urlOf(lead), alt: 'Le bac' } })
  await put('b', { markdown: `![Le port](${urlOf(inText)})` })
  // Only a former text shows it now.
  await put('b', { markdown: 'Sans image' })
  const newsletter = await aNewsletter(web.context.database, { welcome: `![Le port](${urlOf(welcome)})` })
  const letter = { kind: 'letter', subject: 'a', intro: `![Le port](${urlOf(inIntro)})` }
  await call('POST', `/newsletters/${newsletter.slug}/digests`, letter)
  await rowsOf(web, `update publication set look = $1`, [{ logo: urlOf(logo) }])
  const { findings } = await examine(web.context)
  expect(findings).toContainEqual(expect.objectContaining({ name: 'pictures', verdict: 'look' }))

  const after = async (days: number) => {
    now = new Date(now.getTime() + days * 86_400_000)
    await web.context.services.upkeep.sweep()
    const rows = await rowsOf<{ name: string }>(
      web,
      `select left(encode(sha256, 'hex'), 2) as name from media_files order by 1`,
    )
    return rows.map(({ name }) => name)
  }
  expect(await after(29)).toEqual(['a1', 'b2', 'c3', 'd4', 'e5', 'f6'])
  expect(await after(2)).toEqual(['a1', 'b2', 'c3', 'd4', 'e5'])
  await rowsOf(web, `update newsletters set welcome = null`)
  expect(await after(29)).toEqual(['a1', 'b2', 'c3', 'd4', 'e5'])
  expect(await after(2)).toEqual(['a1', 'b2', 'c3', 'e5'])
})
