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
