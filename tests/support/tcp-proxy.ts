import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  port: number
  /** `frozen` forwards nothing and says nothing, as a network does that loses every packet. */
  setMode(mode: 'open' | 'refusing' | 'frozen'): void
  /** Where new connections go. */
  setTarget(port: number): void
  /** Ends every connection with RST. */
  reset(): void
  close(): Promise<void>
}

/** Stands between a process and a server on loopback, and fails as networks do. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let target = targetPort
  let mode: 'open' | 'refusing' | 'frozen' = 'open'
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    if (mode === 'frozen') socket.pause()
  }
  const server = createServer((near) => {
    if (mode === 'refusing') {
      near.resetAndDestroy()
      return
    }
    const far = connect(target, '127.0.0.1')
    near.pipe(far)
    far.pipe(near)
    keep(near)
    keep(far)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    setMode(next) {
      mode = next
      if (mode === 'refusing') reset()
      for (const socket of sockets) {
        if (mode === 'frozen') socket.pause()
        else socket.resume()
      }
    },
    setTarget(port) {
      target = port
    },
    reset,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
