import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { pdfFacts, pdfPictures, pdfText } from '../support/pdf.ts'
import { aPicture, aWebWithPictures, upload } from '../support/pictures.ts'
import { rowsOf } from '../support/query.ts'
import { aSubscriber } from '../support/subscribers.ts'
import { aWeb, type Web } from '../support/web.ts'

const desk = { kind: 'cli', role: 'admin' } as const

async function read(web: Web, path: string) {
  const answer = await web.fetch(path)
  expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, 'application/pdf'])
  return { bytes: Buffer.from(await answer.arrayBuffer()), headers: answer.headers }
}

/** Sent to its only reader. */
async function aSentDigest(web: Web, newsletter: { slug: string }) {
  const call = await web.api('editor')
  const composed = await call('POST', `/newsletters/${newsletter.slug}/digests`, { cadence: 'daily' })
  const { id } = (await composed.json()) as { id: number }
  const sending = { 'if-match': composed.headers.get('etag') ?? '', 'idempotency-key': `send-${id}` }
  expect((await call('POST', `/digests/${id}/send`, {}, sending)).status).toBe(202)
  await web.context.services.preparing.prepare(id)
  return id
}
const arrive = (web: Web, id: number) =>
  rowsOf(web, `update deliveries set state = 'accepted' where digest_id = $1`, [id])

test('an article is a PDF at its address: the picture, corrections, links; asked again, nothing is made', async () => {
  const web = await aWebWithPictures()
  const picture = await upload(web, aPicture(1_200, 800))
  const { services } = web.context
  const { article } = await services.articles.put('phare', {
    ...{
      title: 'المنارة تضيء من جديد',
      deck: 'بعد سنة من الظلام',
      html: '<p>عاد الضوء أمس.</p>',
      language: 'ar',
    },
    ...{
      sections: ['a-la-une'],
      picture: { url: picture.url, alt: 'المنارة', credit: 'سمير' },
      correction: 'صحّحنا التاريخ.',
    },
  })
  const path = `/articles/${encodeURIComponent(article.slug)}`
  const { bytes, headers } = await read(web, `${path}.pdf`)
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-language': 'ar',
    'content-disposition': `inline; filename="edition.pdf"; filename*=UTF-8''${encodeURIComponent(article.slug)}.pdf`,
    'cache-control': 'no-cache',
  })
  const text = pdfText(bytes)
  for (const words of ['المنارة تضيء من جديد', 'بعد سنة من الظلام', 'عاد الضوء أمس', 'سمير', 'Le Rivage'])
    expect(text).toContain(words)
  expect(pdfFacts(bytes)).toMatchObject({ pages: 1, isAccessible: true, areFontsEmbedded: true })
  expect(pdfFacts(bytes).links).toEqual(
    expect.arrayContaining([`${web.origin}${path}`, `${web.origin}/s/${article.shortCode}`]),
  )

  const etag = headers.get('etag') ?? ''
  expect((await web.fetch(`${path}.pdf`, { headers: { 'if-none-match': etag } })).status).toBe(304)
  const head = await web.fetch(`${path}.pdf`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)])
  const page = await web.fetch(path, { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain(`href="${path}.pdf"`)

  await services.articles.put('phare', {
    title: 'المنارة',
    html: '<p>نص آخر.</p>',
    language: 'ar',
    sections: ['a-la-une'],
  })
  const changed = await web.fetch(`${path}.pdf`, { headers: { 'if-none-match': etag } })
  expect([changed.status, changed.headers.get('etag') === etag]).toEqual([200, false])
})

test('what has no page has no PDF: drafts, withdrawn stories, those of another site', async () => {
  const web = await aWeb()
  const { services, database } = web.context
  const put = (id: string, change: object) =>
    services.articles.put(id, {
      title: id,
      html: '<p>Texte.</p>',
      language: 'fr',
      sections: ['a-la-une'],
      ...change,
    })
  const status = async (path: string) => {
    const { status, headers } = await web.fetch(path, { headers: { accept: 'text/html' } })
    return [status, headers.get('location')]
  }
  await put('brouillon', { state: 'draft' })
  expect(await status('/articles/brouillon.pdf')).toEqual([404, null])
  await put('retire', {})
  await services.articles.withdraw('retire', 'Erreur', desk)
  expect(await status('/articles/retire.pdf')).toEqual([410, null])
  await put('ailleurs', { canonicalUrl: 'https://rivage.example/ailleurs' })
  await services.publication.set({ links: 'canonical' }, desk)
  expect(await status('/articles/ailleurs.pdf')).toEqual([302, 'https://rivage.example/ailleurs'])
  await services.publication.set({ links: 'here' }, desk)
  await anArticle(database, { externalId: 'ancien', slug: 'nouveau-nom' })
  await rowsOf(
    web,
    `insert into article_slugs (slug, article_id) select 'ancien-nom', id from articles where external_id = 'ancien'`,
  )
  expect(await status('/articles/ancien-nom.pdf')).toEqual([301, '/articles/nouveau-nom.pdf'])
})

test('a digest is a newspaper once a reader has it: number, blocks, whole stories; a withdrawn one leaves it', async () => {
  const web = await aWeb()
  const { database, services } = web.context
  const newsletter = await aNewsletter(database, { blocks: [{ kind: 'section', slug: 'culture' }] })
  await aSubscriber(database, { newsletter })
  await anArticle(database, {
    externalId: 'phare',
    title: 'Le phare se rallume',
    html: '<p>Tout le texte du phare.</p>',
  })
  await anArticle(database, {
    externalId: 'fanfare',
    title: 'La fanfare répète',
    html: '<p>Tout le texte de la fanfare.</p>',
    sections: ['culture'],
  })
  const latest = `/newsletters/${newsletter.slug}/latest.pdf`
  const id = await aSentDigest(web, newsletter)
  expect((await web.fetch(`/digests/${id}.pdf`)).status).toBe(404)
  expect((await web.fetch(latest)).status).toBe(404)
  await arrive(web, id)
  expect((await web.fetch(latest)).headers.get('location')).toBe(`/digests/${id}.pdf`)
  const { bytes, headers } = await read(web, `/digests/${id}.pdf`)
  expect(headers.get('content-disposition')).toMatch(
    /^inline; filename="le-matin-\d+-\d{4}-\d{2}-\d{2}\.pdf"/,
  )
  const text = pdfText(bytes)
  for (const words of [
    'Tout le texte du phare',
    'Tout le texte de la fanfare',
    'CULTURE',
    'N° 1',
    'Le Matin du Rivage',
    '1/1',
  ])
    expect(text.replaceAll('\u00a0', ' ')).toContain(words)
  expect(pdfFacts(bytes)).toMatchObject({ isTagged: true, isAccessible: true })

  const archive = await (await web.fetch(`/newsletters/${newsletter.slug}`)).text()
  expect(archive).toContain(`href="/digests/${id}.pdf"`)
  expect(await (await web.fetch(`/digests/${id}`)).text()).toContain(`href="${web.origin}/digests/${id}.pdf"`)
  const feed = await (await web.fetch(`/newsletters/${newsletter.slug}/rss.xml`)).text()
  expect(feed).toContain(
    `<enclosure url="${web.origin}/digests/${id}.pdf" length="0" type="application/pdf"/>`,
  )

  await services.articles.withdraw('fanfare', 'Erreur', desk)
  const after = await read(web, `/digests/${id}.pdf`)
  expect(after.headers.get('etag')).not.toBe(headers.get('etag'))
  expect(pdfText(after.bytes)).not.toContain('fanfare')
})

test('without the compiler: 501 with a sentence, and nothing offers a PDF', async () => {
  const web = await aWeb({ hasEditions: false })
  const { database } = web.context
  const newsletter = await aNewsletter(database)
  await aSubscriber(database, { newsletter })
  const { slug } = await anArticle(database)
  const answer = await web.fetch(`/articles/${slug}.pdf`)
  expect([answer.status, await answer.json()]).toEqual([
    501,
    expect.objectContaining({ code: 'pdf_not_installed' }),
  ])
  const id = await aSentDigest(web, newsletter)
  await arrive(web, id)
  expect((await web.fetch(`/digests/${id}.pdf`)).status).toBe(501)
  for (const path of [
    `/articles/${slug}`,
    `/newsletters/${newsletter.slug}`,
    `/digests/${id}`,
    `/newsletters/${newsletter.slug}/rss.xml`,
  ]) {
    const page = await web.fetch(path, { headers: { accept: 'text/html' } })
    expect([path, page.status, (await page.text()).includes('.pdf')]).toEqual([path, 200, false])
  }
})

test('pictures on other servers come along where we may ask, within a limit; what does not come is left out', async () => {
  const bytes = await aPicture(1_200, 800).avif().toBuffer()
  const asked: string[] = []
  const site = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/bac.avif') response.setHeader('content-type', 'image/avif').end(bytes)
    else if (request.url === '/huge.jpg') response.end(Buffer.alloc(6 * 1024 * 1024))
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    site.close()
  })
  await once(site, 'listening')
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const story = (name: string) => ({
    ...{ title: name, html: `<p>Texte.</p><img src="${origin}/huge.jpg"><img src="${origin}/none.png">` },
    ...{ language: 'fr', picture: { url: `${origin}/${name}`, alt: 'Le bac' } },
  })
  for (const [env, pictures] of [
    [{ SOURCE_HOSTS: '127.0.0.1' }, 1],
    [{}, 0],
  ] as const) {
    asked.length = 0
    const web = await aWeb({ env })
    const { article } = await web.context.services.articles.put('bac', story('bac.avif'))
    const made = await read(web, `/articles/${article.slug}.pdf`)
    expect(pdfPictures(made.bytes)).toBe(pictures)
    expect(asked).toEqual(pictures ? ['/bac.avif', '/huge.jpg', '/none.png'] : [])
  }
})
