import { expect, test } from 'vitest'
import { everyApiRoute } from '../../support/api-routes.ts'
import { aWeb } from '../../support/web.ts'

const surplus = ['activatedAt', 'isAdmin', 'createdAt', 'constructor', '__proto__']

test('every call that takes JSON refuses a field it does not know, by name', async () => {
  const web = await aWeb()
  const call = await web.api('admin')
  const writes = everyApiRoute(web).filter(({ body }) => body !== undefined && body !== 'stream')
  expect(writes.length).toBeGreaterThan(20)
  for (const { method, path } of writes) {
    const url = path.replace(/\{(\w+)\}/g, '999999')
    for (const field of surplus) {
      const answer = await call(method.toUpperCase(), url, `{"${field}":{"role":"admin"}}`)
      const problem = (await answer.json()) as { code: string; errors?: { message: string }[] }
      expect([answer.status, problem.code], `${method} ${path} ${field}`).toEqual([422, 'invalid_input'])
      expect(problem.errors?.map(({ message }) => message).join(' '), `${method} ${path} ${field}`).toContain(
        `"${field}"`,
      )
    }
  }
})
