import { expect, test } from 'vitest'
import { mayActAs, roles } from '../../src/domain/editor.ts'
import { everyApiRoute } from '../support/api-routes.ts'
import { aWeb } from '../support/web.ts'

test('a request without a key, with a wrong one or a revoked one gets 401', async () => {
  const web = await aWeb()
  const anonymous = await web.fetch('/api/v1/publication')
  expect(anonymous.status).toBe(401)
  expect(anonymous.headers.get('content-type')).toContain('application/problem+json')
  expect(await anonymous.json()).toMatchObject({ status: 401, code: 'no_valid_key' })

  const wrong = { authorization: 'Bearer depeche_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
  expect((await web.fetch('/api/v1/publication', { headers: wrong })).status).toBe(401)

  const call = await web.api('admin')
  const { data } = (await (await call('GET', '/keys')).json()) as { data: { id: number }[] }
  expect((await call('DELETE', `/keys/${data[0]?.id}`)).status).toBe(204)
  expect((await call('GET', '/keys')).status).toBe(401)
})

test('every role on every route gets past the policy or 403, and nothing else', async () => {
  const web = await aWeb()
  for (const role of roles) {
    const call = await web.api(role)
    for (const route of everyApiRoute(web)) {
      // An id that does not exist: allowed calls fail later, or answer.
      const path = route.path.replace(/\{(\w+)\}/g, '999999')
      const hasBody = route.body !== undefined
      const response = await call(route.method.toUpperCase(), path, hasBody ? {} : undefined)
      await response.body?.cancel()
      const isForbidden = response.status === 403
      expect(isForbidden, `${role} ${route.method} ${route.path} → ${response.status}`).toBe(
        !mayActAs(role, route.role),
      )
      expect(response.status, `${role} ${route.method} ${route.path}`).not.toBe(500)
    }
  }
})

test('the OpenAPI description names every route, with its role', async () => {
  const web = await aWeb()
  const call = await web.api('viewer')
  const description = (await (await call('GET', '/openapi.json')).json()) as {
    openapi: string
    paths: Record<string, Record<string, { 'x-role': string }>>
  }
  expect(description.openapi).toBe('3.1.0')
  for (const route of everyApiRoute(web)) {
    expect(description.paths[route.path]?.[route.method]?.['x-role']).toBe(route.role)
  }
})

type Operation = {
  parameters: { name: string; in: string; required: boolean; schema: { pattern?: string } }[]
  requestBody?: { required: boolean }
  responses: Record<string, object>
}

test('the description marks what a call cannot do without', async () => {
  const web = await aWeb()
  const call = await web.api('viewer')
  const { paths } = (await (await call('GET', '/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>
  }
  const headersOf = (path: string, method: string) =>
    paths[path]?.[method]?.parameters
      .filter((parameter) => parameter.in === 'header')
      .map(({ name, required }) => [name, required])
  expect(headersOf('/digests/{id}', 'patch')).toEqual([['If-Match', true]])
  expect(headersOf('/digests/{id}/approve', 'post')).toEqual([['If-Match', true]])
  expect(headersOf('/digests/{id}/schedule', 'post')).toEqual([['If-Match', false]])
  expect(headersOf('/digests/{id}/send', 'post')).toEqual([
    ['If-Match', true],
    ['Idempotency-Key', true],
  ])
  expect(headersOf('/digests/{id}/uncertain', 'post')).toEqual([['Idempotency-Key', true]])
  expect(headersOf('/subscribers/import', 'post')).toEqual([['Idempotency-Key', false]])
  expect(paths['/keys']?.['post']?.requestBody?.required).toBe(true)
  // All of it may stay as it is.
  expect(paths['/publication']?.['patch']?.requestBody?.required).toBe(false)
  for (const [path, method] of [
    ['/editors', 'post'],
    ['/editors/{id}', 'patch'],
    ['/editors/{id}', 'delete'],
  ] as const)
    expect(Object.keys(paths[path]?.[method]?.responses ?? {})).toEqual(['403', '431', 'default'])
})

test('every pattern of the description is one that other languages read', async () => {
  const call = await (await aWeb()).api('viewer')
  const text = await (await call('GET', '/openapi.json')).text()
  const patterns = [...text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, pattern = '']) => JSON.parse(pattern) as string,
  )
  expect(patterns.length).toBeGreaterThan(20)
  // Letters and digits of any script have one name everywhere; other properties, \u and lookbehind have not.
  const foreign = /\\P|\\p(?!\{[LN]\})|\\u|\(\?<|\(\?[a-z]/
  expect(patterns.filter((pattern) => foreign.test(pattern))).toEqual([])
})

test('a method that an address does not have is 405, and OPTIONS tells without a key which it has', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  for (const [path, allow] of [
    ['/publication', 'OPTIONS, GET, HEAD, PATCH'],
    ['/articles/cms:42', 'OPTIONS, PUT, GET, HEAD'],
    ['/subscribers/import', 'OPTIONS, POST'],
    ['/subscribers/export', 'OPTIONS, GET, HEAD'],
    ['/subscribers/7', 'OPTIONS, GET, HEAD, PATCH, DELETE'],
    ['/digests/7/send', 'OPTIONS, POST'],
  ] as const) {
    const told = await web.fetch(`/api/v1${path}`, { method: 'OPTIONS' })
    expect([told.status, told.headers.get('allow')], path).toEqual([204, allow])
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
      const answer = await call(method, path, method === 'GET' ? undefined : {})
      if (allow.includes(method)) expect(answer.status, `${method} ${path}`).not.toBe(405)
      else {
        expect([answer.status, answer.headers.get('allow')], `${method} ${path}`).toEqual([405, allow])
        expect(await answer.json()).toMatchObject({ code: 'no_method' })
      }
    }
  }
  expect((await web.fetch('/api/v1/publication', { method: 'PURGE' })).status).toBe(401)
  expect((await call('PURGE', '/nothing')).status).toBe(404)
})

test('no number that JavaScript holds is too large for a column', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const largest = String(Number.MAX_SAFE_INTEGER)
  const headers = { 'if-match': '"1"', 'idempotency-key': 'of-this-test' }
  const bodies = [{}, { spread: false }, { decision: 'leave' }, { position: Number.MAX_SAFE_INTEGER }]
  for (const { method, path, body } of everyApiRoute(web)) {
    if (!path.includes('{') && method === 'get') continue
    for (const sent of body === undefined ? [undefined] : bodies) {
      const answer = await call(method.toUpperCase(), path.replace(/\{\w+\}/g, largest), sent, headers)
      await answer.body?.cancel()
      expect(answer.status, `${method} ${path} ${JSON.stringify(sent)}`).toBeLessThan(500)
    }
  }
  const newsletter = { slug: 'le-soir', name: 'Le Soir', language: 'fr' }
  expect((await call('POST', '/newsletters', newsletter)).status).toBe(201)
  for (const [position, status] of [
    [2 ** 31, 422],
    [-1, 200],
  ])
    expect((await call('PATCH', '/newsletters/le-soir', { position })).status).toBe(status)
})

test('answers are never cached and never 304', async () => {
  const web = await aWeb()
  const call = await web.api('viewer')
  const first = await call('GET', '/publication')
  expect(first.headers.get('cache-control')).toBe('no-store')
  expect(first.headers.get('etag')).toBeNull()
  const put = await (
    await web.api('editor')
  )('PUT', '/articles/a', { title: 'a', html: '<p>a', language: 'fr' })
  const etag = put.headers.get('etag') ?? ''
  // fetch would say no-cache by itself, and Express never answers that with 304.
  const conditional = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
  const again = await call('GET', '/articles/a', undefined, conditional)
  expect([again.status, again.headers.get('etag')]).toEqual([200, etag])
  expect(await again.json()).toMatchObject({ title: 'a' })
  const head = await call('HEAD', '/articles/a', undefined, conditional)
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('a field or a parameter that is not known is named', async () => {
  const call = await (await aWeb()).api('editor')
  const article = {
    title: 'a',
    html: '<p>a',
    language: 'fr',
    picture: { url: 'https://a.example/a', zoom: 1 },
    role: 1,
  }
  const errorsOf = async (response: Response) => ((await response.json()) as { errors: unknown }).errors
  expect(await errorsOf(await call('PUT', '/articles/a', article))).toEqual([
    { field: 'picture.zoom', message: 'Unrecognized key: "zoom"' },
    { field: 'role', message: 'Unrecognized key: "role"' },
  ])
  expect(await errorsOf(await call('GET', '/articles?sort=at'))).toEqual([
    { field: 'sort', message: 'Unrecognized key: "sort"' },
  ])
})

test('hostile bodies get a problem document: prototype keys, arrays for strings, depth, broken JSON, other types', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const statusOf = async (body: string, headers = {}) => {
    const response = await call('PATCH', '/publication', body, headers)
    const problem = (await response.json()) as { code: string; detail: string }
    expect(problem.code).toMatch(/^[a-z_]+$/)
    expect(problem.detail).not.toMatch(/ at .*\.ts|node_modules|select /)
    return response.status
  }
  expect(await statusOf('{"__proto__":{"role":"admin"},"name":"x"}')).toBe(422)
  expect(await statusOf('{"name":["x"]}')).toBe(422)
  expect(await statusOf('{"role":"admin"}')).toBe(422)
  expect(await statusOf('['.repeat(10_000) + ']'.repeat(10_000))).toBe(422)
  expect(await statusOf('{"name":')).toBe(400)
  expect(await statusOf('name=x', { 'content-type': 'text/plain' })).toBe(415)
  expect(await statusOf(JSON.stringify({ name: 'x'.repeat(300_000) }))).toBe(413)
  expect((await web.context.services.publication.get()).name).toBe('Le Rivage')
})

test('half of an emoji in a body, as a program that cuts texts leaves it, is left out, and no fault of ours', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const response = await call('PATCH', '/publication', {
    footer: { fr: 'À demain \uD83D' },
    name: 'Le Port 🚢',
  })
  expect(response.status).toBe(200)
  const answered = await response.text()
  expect(answered).toContain('"À demain"')
  expect(answered).toContain('"Le Port 🚢"')
})

test.each(['-1', '0', '1e9', 'NaN', '201', 'x'])('limit=%s is refused', async (limit) => {
  const web = await aWeb()
  const call = await web.api('admin')
  expect((await call('GET', `/audit?limit=${limit}`)).status).toBe(400)
})

test('lists page by cursor, and a tampered cursor is refused', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  await call('PATCH', '/publication', { name: 'Le Nouveau Rivage' })
  const first = (await (await call('GET', '/audit?limit=1')).json()) as {
    data: { id: number }[]
    next: string
  }
  const second = (await (await call('GET', `/audit?limit=1&cursor=${first.next}`)).json()) as typeof first
  expect(second.data[0]?.id).toBeLessThan(first.data[0]?.id ?? 0)
  for (const cursor of [`${first.next}x`, 'eyJhIjoxfQ', 'WyJhIl0=']) {
    expect((await call('GET', `/audit?cursor=${cursor}`)).status).toBe(400)
  }
})

test('a change is in the audit log with its actor', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  await call('PATCH', '/publication', { postalAddress: null })
  const { data } = (await (await call('GET', '/audit')).json()) as {
    data: { actor: string; action: string }[]
  }
  expect(data[0]).toMatchObject({ action: 'publication.changed' })
  expect(data[0]?.actor).toMatch(/^key:\d+$/)
})

test('a code that was renamed is told with the one it had', async () => {
  const call = await (await aWeb()).api('admin')
  const codesOf = async (path: string) => {
    const { code, formerly } = (await (await call('GET', path)).json()) as { code: string; formerly?: string }
    return [code, formerly]
  }
  expect(await codesOf('/nothing')).toEqual(['no_route', 'no_such_route'])
  expect(await codesOf('/subscribers/9/explain?digest=9')).toEqual(['no_digest', undefined])
})
