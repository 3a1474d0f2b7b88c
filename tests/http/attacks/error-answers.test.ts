import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { DomainError, type ErrorKind } from '../../../src/errors.ts'
import { createPageRenderer } from '../../../src/http/page.ts'
import { problemHandler } from '../../../src/http/problem.ts'
import { translate } from '../../../src/locales.ts'
import { createLogger } from '../../../src/log.ts'
import { signedIn } from '../../support/desk.ts'
import { rowsOf } from '../../support/query.ts'
import { aWeb } from '../../support/web.ts'

const inside = /node_modules|\.ts\b|at .+\(|select |insert |column|relation|postgres|secret/i

const kinds: Record<ErrorKind, number> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  precondition_required: 428,
  throttled: 429,
  unavailable: 503,
}

const thrown: [status: number, error: unknown][] = [
  ...Object.entries(kinds).map(([kind, status]): [number, unknown] => [
    status,
    new DomainError(kind as ErrorKind, 'some_code', 'Do it otherwise.', { cause: new Error('secret') }),
  ]),
  [400, Object.assign(new Error('secret'), { status: 400 })],
  [400, new DomainError('invalid', 'invalid_query', 'Do it otherwise.')],
  [413, Object.assign(new Error('secret'), { status: 413 })],
  [415, new DomainError('invalid', 'not_json', 'Do it otherwise.')],
  [500, new Error('select secret from editors')],
  [500, 'secret'],
  [429, new DomainError('throttled', 'some_code', 'Do it later.', { retryAfterSeconds: 80 })],
]

/** The last handler, behind a route that throws what its number says, in the language of its path. */
async function aThrower(): Promise<string> {
  const app = express()
  app.get(['/:language/:at', '/api/:language/:at'], (request, response) => {
    response.locals['language'] = request.params['language']
    throw thrown[Number(request.params['at'])]?.[1]
  })
  app.use(
    problemHandler(createLogger('silent', 'web'), createPageRenderer({ publicUrl: 'https://x.example' })),
  )
  const server = createServer(app)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('every kind of error is a page in the reader’s language for people, and a problem for programs', async () => {
  const origin = await aThrower()
  const headers = { accept: 'text/html' }
  for (const [at, [status]] of thrown.entries()) {
    for (const language of ['fr', 'ar', 'en'] as const) {
      const page = await fetch(`${origin}/${language}/${at}`, { headers })
      const html = await page.text()
      expect(page.status).toBe(status)
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(html).toContain(`<html lang="${language}"`)
      expect(html).toContain(translate(language, 'errors.back'))
      expect(html).not.toMatch(inside)
      expect(html).not.toMatch(/errors\.|Do it otherwise/)
    }
    for (const request of [
      fetch(`${origin}/api/fr/${at}`, { headers }),
      fetch(`${origin}/fr/${at}`, { headers: { accept: 'application/json' } }),
    ]) {
      const answer = await request
      const text = await answer.text()
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(JSON.parse(text)).toMatchObject({ status, code: expect.stringMatching(/^[a-z_]+$/) as string })
      expect(text).not.toMatch(inside)
    }
  }
})

test('nobody is told to come back before they may', async () => {
  const answer = await fetch(`${await aThrower()}/en/${thrown.length - 1}`, {
    headers: { accept: 'text/html' },
  })
  expect([answer.headers.get('retry-after'), await answer.text()]).toEqual([
    '80',
    expect.stringContaining('2 minutes'),
  ])
})

test('what a broken database says reaches nobody, on the site, the desk and the API', async () => {
  const web = await aWeb()
  const desk = await signedIn(web, 'admin')
  const call = await web.api('admin')
  await rowsOf(web, 'alter table articles rename to was_articles')
  const answers = [
    await web.fetch('/', { headers: { accept: 'text/html' } }),
    await desk.get('/articles'),
    await call('GET', '/articles'),
  ]
  for (const answer of answers) {
    const text = await answer.text()
    expect(answer.status, answer.url).toBe(500)
    expect(text.replaceAll(/<(?:link|script)[^>]*>/g, '')).not.toMatch(inside)
  }
})
