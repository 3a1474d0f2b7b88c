import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { aNameServer, type Zone } from '../support/dns-server.ts'
import { aHaproxy } from '../support/haproxy.ts'
import { until } from '../support/until.ts'
import { aWebProcess } from '../support/web-process.ts'

/** The HAProxy that is shipped, in front of one web process of two. @returns its port */
async function aProxyTo(
  web: { port: number },
  { host = '127.0.0.1', ...more }: Record<string, string> = {},
): Promise<number> {
  const port = await findFreePort()
  await aHaproxy({
    'bind 127.0.0.1:8080': `bind 127.0.0.1:${port}`,
    'web1.internal:3000': `${host}:${web.port}`,
    'web2.internal:3000': `127.0.0.1:${await findFreePort()}`,
    ...more,
  })
  return port
}

test('a form whose second half comes when the HAProxy that is shipped has left the process that ends is answered', async () => {
  const web = await aWebProcess(undefined, { DRAIN_SECONDS: '20' })
  const port = await aProxyTo(web)
  const readiness = async () =>
    (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status ?? 0
  await until('the proxy leads to it', async () => (await readiness()) === 200)

  const body = 'email=not-an-address&newsletters=le-matin&language=fr'
  const headers = {
    host: `localhost:${web.port}`,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': body.length,
  }
  const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/subscribe', headers })
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>
  asked.write(body.slice(0, 20))
  web.child.kill('SIGTERM')
  await until('the proxy has nobody to ask', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`)
    return answer.status === 503
  })
  asked.end(body.slice(20))
  const [answer] = await answered
  expect(answer.statusCode).toBe(422)
})

test('a relay that says nothing takes no web process out of the HAProxy that is shipped', async () => {
  let asked = 0
  const relay = createServer(() => (asked += 1))
  await once(relay.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void relay.close())
  const SMTP_URL = `smtp://127.0.0.1:${(relay.address() as AddressInfo).port}`
  const web = await aWebProcess(undefined, { SMTP_URL })
  const port = await aProxyTo(web)
  const isLed = async () =>
    (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status === 200
  await until('the proxy leads to it', isLed)
  const before = asked
  // After three checks in vain the proxy would have left it.
  await until('the relay was asked five times', async () => {
    expect(await isLed()).toBe(true)
    return asked >= before + 5
  })
})

test('a name that leads nowhere when the HAProxy that is shipped starts is followed once it leads somewhere', async () => {
  const zone: Zone = {}
  const names = await aNameServer(zone)
  const port = await aProxyTo(await aWebProcess(), {
    host: 'late.depeche.invalid',
    'parse-resolv-conf': `nameserver own 127.0.0.1:${names.port}`,
  })
  const isLed = async () =>
    (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status === 200
  await until('it asks', () =>
    Promise.resolve(names.questions.some((question) => question.startsWith('late.depeche.invalid'))),
  )
  expect(await isLed()).toBe(false)
  zone['late.depeche.invalid A'] = '127.0.0.1'
  await until('it leads there', isLed, 60_000)
})
