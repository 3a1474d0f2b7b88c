import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, onTestFinished, test } from 'vitest'
import { DatabaseClient } from '../../src/store/client.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

test('a statement that waits for a machine that is gone fails; one that takes long does not', async () => {
  const url = new URL(inject('postgresUrl'))
  const network = await startTcpProxy(Number(url.port))
  onTestFinished(() => network.close())
  const [near, far] = [new DatabaseClient({ connectionString: url.href }), new URL(url)]
  far.port = String(network.port)
  const gone = new DatabaseClient({ connectionString: far.href })
  await Promise.all([near.connect(), gone.connect()])
  network.setMode('frozen')
  const long = near.query('select pg_sleep(11)')
  await expect(gone.query('select')).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  await expect(long).resolves.toMatchObject({ rowCount: 1 })
  await near.end()
})

test('of several hosts a silent one is waited for once, not with each connection', async () => {
  let asked = 0
  const machine = createServer(() => asked++)
  await once(machine.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void machine.close())
  const { port } = machine.address() as AddressInfo
  const url = inject('postgresUrl').replace(/@[^/]+/, (server) => `@127.0.0.1:${port},${server.slice(1)}`)
  for (let n = 0; n < 3; n++) {
    const client = new DatabaseClient({ connectionString: url })
    await client.connect()
    await client.end()
    // What was found is good for a second.
    await sleep(1_100)
  }
  expect(asked).toBe(1)
})
