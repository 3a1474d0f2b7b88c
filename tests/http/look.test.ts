import type { Sharp } from 'sharp'
import { expect, test } from 'vitest'
import { anArticle } from '../support/articles.ts'
import { aPicture, aWebWithPictures } from '../support/pictures.ts'
import { signedIn } from '../support/desk.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { query } from '../support/query.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { aWeb, type Web } from '../support/web.ts'

/** WCAG 2.2, relative luminance and contrast. */
function contrast(one: string, other: string): number {
  const [a = 0, b = 0] = [one, other].map((colour) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  })
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

const textOf = async (web: Web, path: string, headers: Record<string, string> = {}) =>
  (await web.fetch(path, { headers })).text()

test('each language has its own name, sentence and byline: on pages, in feeds, in mails and their sender', async () => {
  const web = await aWeb()
  const admin = await web.api('admin')
  const changed = await admin('PATCH', '/publication', {
    name: { ar: 'الساحل' },
    description: { fr: 'Le journal du port', ar: 'جريدة الميناء' },
    deskName: { ar: 'هيئة التحرير' },
    contacts: { fr: [{ role: 'Publicité', email: 'pub@rivage.example' }] },
  })
  expect(await changed.json()).toMatchObject({
    name: { fr: 'Le Rivage', ar: 'الساحل' },
    deskName: { fr: 'La rédaction', ar: 'هيئة التحرير' },
    postalAddress: '1, quai des Voiles, Port-Clair',
    contacts: [{ role: 'Publicité', email: 'pub@rivage.example' }],
  })
  const { database, services } = web.context
  const { slug } = await anArticle(database, { language: 'ar', title: 'عودة العبّارة', authors: [] })
  const french = await textOf(web, '/fr')
  const arabic = await textOf(web, '/ar')
  expect(french).toMatch(/<p class="name"><a[^>]*>Le Rivage</)
  expect(french).toContain('content="Le journal du port"')
  expect(arabic).toMatch(/<p class="name"><a[^>]*>الساحل</)
  expect(arabic).toMatch(/<title>الساحل[^<]/)
  expect(arabic).toContain('content="جريدة الميناء"')
  // No list of its own: that of the first language.
  expect(arabic).toContain('href="mailto:pub@rivage.example"')
  expect(await textOf(web, `/articles/${encodeURIComponent(slug)}`)).toContain('هيئة التحرير')
  const feed = await textOf(web, '/ar/rss.xml')
  expect(feed).toMatch(/<title>الساحل [^<]*<\/title>/)
  expect(feed).toContain('<description>جريدة الميناء</description>')
  expect(feed).toContain('<dc:creator>هيئة التحرير</dc:creator>')
  expect(await textOf(web, '/fr/feed.json')).toContain('"description": "Le journal du port"')
  expect(await services.publication.previewMail('ar')).toContain('<strong dir="auto">الساحل</strong>')
  // What was one text stays one: a text for all takes the place of both.
  const again = await admin('PATCH', '/publication', { name: 'La Rive', description: { ar: '' } })
  expect(await again.json()).toMatchObject({ name: 'La Rive', description: 'Le journal du port' })
  expect(await textOf(web, '/ar')).toMatch(/<p class="name"><a[^>]*>La Rive</)
})

test('a legal link is kept as programs that look for links in a text find the whole of it', async () => {
  const admin = await (await aWeb()).api('admin')
  const [label, page] = ['Mentions', 'https://rivage.example/']
  const answer = await admin('PATCH', '/publication', {
    legalLinks: [{ label, url: `${page}mentions légales` }],
  })
  expect(await answer.json()).toMatchObject({
    legalLinks: [{ label, url: `${page}mentions%20l%C3%A9gales` }],
  })
})

test('a mail is signed, sent and footed as the newsroom is called in its reader’s language', async () => {
  const sink = await aSmtpSink()
  const web = await aWeb({ env: { SMTP_URL: sink.url } })
  const { database, services } = web.context
  const look = {
    name: { ar: 'الساحل' },
    footer: { ar: 'شكرًا لكم' },
    legalLinks: [{ label: 'Mentions', url: 'https://rivage.example/mentions' }],
    accent: '#1b5e8c',
  }
  await services.publication.set(look, { kind: 'cli', role: 'admin' })
  await aNewsletter(database, { slug: 'sabah', language: 'ar', name: 'صباح الساحل' })
  await anArticle(database, { language: 'ar', title: 'عودة العبّارة' })
  const digest = await services.digests.compose('sabah', { cadence: 'daily' }, { kind: 'cli', role: 'admin' })
  const html = await services.digestPreview.get(digest.id, { format: 'html' })
  expect(html.body).toContain('<strong dir="auto">الساحل</strong>')
  expect(html.body).toContain('شكرًا لكم')
  expect(html.body).toContain('href="https://rivage.example/mentions"')
  expect(html.body).not.toContain('#9a1b1e')
  expect(html.body).toContain('#1b5e8c')
  const form = { email: 'amina@reader.example', language: 'ar', newsletters: 'sabah' }
  await web.fetch('/ar/subscribe', { method: 'POST', body: new URLSearchParams(form) })
  await services.signupDecisions.decideAll()
  await services.presence.beat()
  await services.sending.deliverMail()
  const message = (sink.received[0]?.raw ?? Buffer.of()).toString()
  expect(message).toContain(`From: =?UTF-8?B?${Buffer.from('الساحل').toString('base64')}?=`)
  expect((await services.digestPreview.get(digest.id, { format: 'text' })).body).toContain(
    'شكرًا لكم\n\nالساحل\n1, quai des Voiles, Port-Clair\nMentions: https://rivage.example/mentions',
  )
})

test('a colour is kept where it can be read, on light grounds and dark ones, whatever it is', async () => {
  const web = await aWeb()
  for (const accent of ['#ffffff', '#ffff00', '#000000', '#808080', '#1b5e8c']) {
    await (
      await web.api('admin')
    )('PATCH', '/publication', { accent: accent.toUpperCase() })
    const path = `/assets/accent-${accent.slice(1)}.css`
    expect(await textOf(web, '/fr')).toContain(`<link rel="stylesheet" href="${path}">`)
    const css = await textOf(web, path)
    const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)')
    const of = (rules: string, name: string) => new RegExp(`--${name}: (#\\w+)`).exec(rules)?.[1] ?? ''
    const white = '#ffffff'
    for (const name of ['accent', 'accent-strong']) {
      for (const ground of ['#fbf9f4', '#fffefb', '#f3eee3'])
        expect(contrast(of(light, name), ground), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5)
      for (const ground of ['#161412', '#211e1a', '#221f1a'])
        expect(contrast(of(dark, name), ground), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5)
    }
    expect(contrast(of(light, 'button'), white)).toBeGreaterThanOrEqual(4.5)
    expect(contrast(of(dark, 'button'), of(dark, 'on-accent'))).toBeGreaterThanOrEqual(4.5)
    const mail = await web.context.services.publication.previewMail('fr')
    expect(mail.includes(`bgcolor="${of(light, 'accent')}"`)).toBe(true)
    expect(mail.includes(`background: ${of(dark, 'accent')} !important; color: #1d1c1b`)).toBe(true)
  }
})

test('nothing but a colour becomes a style', async () => {
  const web = await aWeb()
  const admin = await web.api('admin')
  for (const accent of ['red', '#fff', '#12345', '#1234567', 'url(//evil)', '#00000g', '#000000;}', 0])
    expect((await admin('PATCH', '/publication', { accent })).status).toBe(422)
  for (const name of ['12345', '00000g', '000000%7D', '1234567', 'FFFFFF'])
    expect((await web.fetch(`/assets/accent-${name}.css`)).status).toBe(404)
})

test('the page of the look: saved, audited, shown again where a field is at fault, for admins alone', async () => {
  const web = await aWeb()
  const admin = await signedIn(web, 'admin')
  const typed = { accent: '', 'name.ar': 'الساحل', 'contacts.fr': 'Publicité : pub@rivage.example\n' }
  expect((await admin.post('/look', { ...typed, 'legalLinks.ar': '' })).headers.get('location')).toBe(
    '/desk/look?notice=saved',
  )
  const { publication } = web.context.services
  expect(await publication.get()).toMatchObject({
    name: { fr: 'Le Rivage', ar: 'الساحل' },
    contacts: [{ role: 'Publicité', email: 'pub@rivage.example' }],
    accent: null,
  })
  expect(await (await admin.get('/audit')).text()).toContain('Contacts')
  const before = await publication.get()
  const contacts = 'Publicité : pub@rivage.example\n\npersonne'
  const faults = { 'contacts.fr': contacts, 'legalLinks.ar': 'x: javascript:alert(1)', accent: '#ff0' }
  const refused = await admin.post('/look', { ...typed, ...faults })
  expect(refused.status).toBe(422)
  const html = await refused.text()
  for (const field of Object.keys(faults)) expect(html).toContain(`id="${field}-fault" class="fault"`)
  expect(html).toContain('value="#ff0"')
  expect(html).toContain('personne</textarea>')
  expect(html).toContain('La ligne à corriger\u00a0: <bdi>personne</bdi>')
  expect(await publication.get()).toEqual(before)
  expect((await (await signedIn(web, 'editor')).post('/look', typed)).status).toBe(403)
  // The form of the settings has the text of the first language.
  const settings = { name: 'La Rive', description: '', deskName: 'La rédaction', postalAddress: '1, quai' }
  await admin.post('/settings/publication', { ...settings, contactEmail: '', ambiguousPolicy: 'hold' })
  expect((await publication.get()).name).toEqual({ fr: 'La Rive', ar: 'الساحل' })
  const page = await admin.get('/look/preview/page?language=ar')
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'self'; sandbox")
  expect(await page.text()).toContain('<html lang="ar" dir="rtl">')
})

test('a logo and an icon: on pages, in the bytes of mails, in feeds; without an icon feeds have none, and never ours', async () => {
  const web = await aWebWithPictures()
  const { services } = web.context
  expect(await textOf(web, '/ar/rss.xml')).not.toContain('<image>')
  const admin = await signedIn(web, 'admin')
  const send = async (pictures: Record<string, Sharp>, more: Record<string, string> = {}) => {
    const form = new FormData()
    for (const [name, value] of Object.entries({ csrf: admin.csrf, accent: '', ...more }))
      form.set(name, value)
    for (const [name, picture] of Object.entries(pictures))
      form.set(name, new Blob([new Uint8Array(await picture.png().toBuffer())]), `${name}.png`)
    return web.fetch('/desk/look', { method: 'POST', body: form, headers: { cookie: admin.cookie } })
  }
  const wrong = await send({ logo: aPicture(600, 120), icon: aPicture(600, 120) })
  expect(wrong.status).toBe(422)
  const html = await wrong.text()
  expect(html).toContain('Une image carrée.')
  // The one that was taken is kept.
  const kept = /name="logoUrl" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const fine = await send({ logoDark: aPicture(512, 512), icon: aPicture(512, 512) }, { logoUrl: kept })
  expect(fine.headers.get('location')).toBe('/desk/look?notice=saved')
  const { logo, logoDark, icon } = await services.publication.get()
  expect([logo?.width, logoDark?.height, icon?.width]).toEqual([600, 512, 512])
  const small = (url = '') => url.replace('-960.', '-480.')
  const page = await textOf(web, '/ar')
  expect(page).toContain(`srcset="${logoDark?.url}"`)
  expect(page).toContain(`src="${logo?.url}" alt="Le Rivage"`)
  expect(page).toContain(`<link rel="apple-touch-icon" href="${icon?.url}">`)
  expect((await web.fetch('/favicon.ico')).headers.get('location')).toBe(small(icon?.url))
  expect((await fetch(small(logo?.url))).headers.get('content-type')).toBe('image/jpeg')
  const rss = await textOf(web, '/fr/rss.xml')
  expect(rss).toMatch(new RegExp(`<image>[^]*<url>${small(icon?.url)}</url>[^]*<width>144</width>`))
  expect(await textOf(web, '/fr/atom.xml')).toContain(`<icon>${small(icon?.url)}</icon>`)
  expect(await textOf(web, '/fr/feed.json')).toContain(`"favicon": "${small(icon?.url)}"`)
  const mail = await services.publication.previewMail('fr')
  const shown = `src="${small(logo?.url)}" alt="Le Rivage" width="240" height="48"`
  expect(mail.includes(`<img class="on-light" ${shown}`)).toBe(true)
  expect(mail.includes(`<img class="on-dark" src="${small(logoDark?.url)}" alt="Le Rivage"`)).toBe(true)
  await aNewsletter(web.context.database, { slug: 'matin' })
  await anArticle(web.context.database, {})
  const cli = { kind: 'cli', role: 'admin' } as const
  const digest = await services.digests.compose('matin', { cadence: 'daily' }, cli)
  const bytes = (await services.digestPreview.get(digest.id, { format: 'mime' })).body.replaceAll('=\r\n', '')
  expect(bytes).toContain(shown.replaceAll('=', '=3D'))
  expect((await send({}, { logoGone: 'yes', logoUrl: logo?.url ?? '' })).status).toBe(303)
  expect((await services.publication.get()).logo).toBeNull()
  const api = await web.api('admin')
  const stranger = { logo: { url: 'https://evil.example/logo.png' } }
  expect((await api('PATCH', '/publication', stranger)).status).toBe(422)
  expect((await api('PATCH', '/publication', { logo })).status).toBe(200)
})

test('the version before goes on with the columns it knows, and its changes count', async () => {
  const web = await aWeb()
  const { config, services } = web.context
  const change = { name: { fr: 'Le Rivage', ar: 'الساحل' }, languages: ['fr', 'ar', 'en'] }
  await services.publication.set(change, { kind: 'cli', role: 'admin' })
  const [row] = await query<{ name: string }>(config.databaseUrl, 'select name from publication')
  expect(row?.name).toBe('Le Rivage')
  await query(config.databaseUrl, `update publication set name = 'La Rive'`)
  expect((await services.publication.get()).name).toEqual({ fr: 'La Rive', ar: 'الساحل' })
  await services.publication.set({ languages: ['ar', 'fr'] }, { kind: 'cli', role: 'admin' })
  expect((await services.publication.get()).name).toEqual({ ar: 'الساحل', fr: 'La Rive' })
  expect(await textOf(web, '/', { 'accept-language': 'de' })).toMatch(/<p class="name"><a[^>]*>الساحل</)
})
