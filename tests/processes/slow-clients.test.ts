import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { aWebProcess } from '../support/web-process.ts'

/** Half of them stop within the headers, half within the body. */
function slowSockets(port: number, count: number): Socket[] {
  const sockets = Array.from({ length: count }, (_, n) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    const body = 'POST /subscribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\nemail='
    socket.write(n % 2 ? 'GET / HTTP/1.1\r\nHost: loc' : body)
    return socket
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

test('a thousand sockets that never finish their request keep nobody else waiting, and are cut off', async () => {
  const { port } = await aWebProcess()
  const sockets = slowSockets(port, 1_000)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const cut = sockets.map((socket) => once(socket, 'close'))
  for (const path of ['/', '/subscribe', '/desk/sign-in'])
    expect((await fetch(`http://localhost:${port}${path}`)).status).toBe(200)
  expect(sockets.some((socket) => !socket.destroyed)).toBe(true)
  await Promise.all(cut)
})
