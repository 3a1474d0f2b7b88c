import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { DatabaseClient } from '../../src/store/client.ts'
import { aCluster } from '../support/cluster.ts'
import { cloneDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { aWebProcess } from '../support/web-process.ts'

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

test('a machine that is gone is left also where its name leads to another by now', async () => {
  const url = new URL(inject('postgresUrl'))
  const port = Number(url.port)
  const network = await startTcpProxy(port, 0, { host: '127.0.0.2', port })
  onTestFinished(() => network.close())
  let address = '127.0.0.2'
  vi.spyOn(dns, 'lookup').mockImplementation(((
    ...[, , tell]: [string, unknown, (...of: unknown[]) => void]
  ) => {
    tell(null, [{ address, family: 4 }])
  }) as never)
  onTestFinished(() => void vi.restoreAllMocks())
  url.hostname = 'database.example'
  const gone = new DatabaseClient({ connectionString: url.href })
  await gone.connect()
  network.setMode('frozen')
  address = '127.0.0.1'
  await expect(gone.query('select')).rejects.toMatchObject({ code: 'ETIMEDOUT' })
})

test('a server with so much to do that it lets nobody in for long is not gone', async () => {
  const { url } = await aCluster()
  const [one, other] = [1, 2].map(() => new DatabaseClient({ connectionString: url }))
  await one?.connect()
  await one?.query('alter system set post_auth_delay = 15')
  await one?.query('select pg_reload_conf()')
  await expect(other?.connect()).rejects.toThrow('timeout')
  await expect(one?.query('select pg_sleep(11)')).resolves.toMatchObject({ rowCount: 1 })
  await one?.end()
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

test('a web process that is told to end while PostgreSQL is silent ends as ever', async () => {
  const url = new URL(await cloneDatabase())
  const network = await startTcpProxy(Number(url.port))
  onTestFinished(() => network.close())
  url.port = String(network.port)
  const { child, port } = await aWebProcess(url.href)
  // Counted, which is kept at the end, over one connection; over another it listens.
  expect((await fetch(`http://localhost:${port}/rss.xml`)).status).toBe(200)
  network.setMode('frozen')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})
