import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { aWeb } from '../../support/web.ts'

test('a thousand sockets that never finish their request keep nobody else waiting', async () => {
  const web = await aWeb()
  const port = Number(new URL(web.origin).port)
  const sockets = Array.from({ length: 1_000 }, (_, n) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    const body = 'POST /subscribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\nemail='
    socket.write(n % 2 ? 'GET / HTTP/1.1\r\nHost: loc' : body)
    return socket
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  for (const path of ['/', '/subscribe', '/desk/sign-in']) expect((await web.fetch(path)).status).toBe(200)
  expect(sockets.every((socket) => !socket.destroyed)).toBe(true)
})
