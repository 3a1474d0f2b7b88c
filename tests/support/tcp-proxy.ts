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

/** Stands between a process and a server on loopback, and fails as networks do. @param delayMs of each byte, each way */
export async function startTcpProxy(
  targetPort: number,
  delayMs = 0,
  { host = '127.0.0.1', port = 0 } = {},
): Promise<TcpProxy> {
  let target = targetPort
  let mode: 'open' | 'refusing' | 'frozen' = 'open'
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    if (mode === 'frozen') socket.pause()
  }
  const server = createServer({ noDelay: true }, (near) => {
    if (mode === 'refusing') {
      near.resetAndDestroy()
      return
    }
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
    forward(near, far, delayMs)
    forward(far, near, delayMs)
    keep(near)
    keep(far)
  })
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  server.listen(port, host)
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

function forward(from: Socket, to: Socket, delayMs: number): void {
  const later = (work: () => unknown) => (delayMs === 0 ? work() : setTimeout(work, delayMs))
  if (delayMs === 0) from.pipe(to)
  else from.on('data', (chunk) => later(() => to.write(chunk))).on('end', () => later(() => to.end()))
  from.on('close', () => later(() => to.destroy()))
}
