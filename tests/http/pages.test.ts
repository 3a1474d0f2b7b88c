import { expect, test } from 'vitest'
import { aWeb } from '../support/web.ts'

test('an unknown path is a page for people, in the language of the path, else of the browser', async () => {
  const web = await aWeb()
  const pageOf = async (path: string, acceptLanguage: string) => {
    const response = await web.fetch(path, {
      headers: { accept: 'text/html', 'accept-language': acceptLanguage },
    })
    expect(response.status).toBe(404)
    return response.text()
  }
  expect(await pageOf('/nowhere', 'ar')).toContain('<html lang="ar" dir="rtl">')
  expect(await pageOf('/nowhere', 'de')).toContain('<html lang="fr" dir="ltr">')
  expect(await pageOf('/ar/nowhere', 'fr')).toContain('<html lang="ar" dir="rtl">')
})

test('an asset is served under its hash for a year', async () => {
  const web = await aWeb()
  const html = await (await web.fetch('/nowhere', { headers: { accept: 'text/html' } })).text()
  const urls = [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, url]) => url ?? '')
  expect(urls.length).toBeGreaterThan(2)
  for (const url of urls) {
    const response = await web.fetch(url)
    expect(response.status, url).toBe(200)
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    // A page of the next version, whose file this process does not have yet.
    const early = await web.fetch(url.replace(/\?.*/, '?v=0123456789'))
    expect(early.headers.get('cache-control')).toBe('public, max-age=300')
  }
})
