import { expect, test } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { inspectRedis, type RedisFault } from '../../src/queue/inspect-redis.ts'
import { aRedis, aRedisCluster, aSentinelSetup, ask } from '../support/redis.ts'
import { until } from '../support/until.ts'

test('Sentinels that know the master by another name, behind one that is gone; no Sentinels; a Cluster that is down', async () => {
  const { url } = await aSentinelSetup()
  const isSaid = async (address: string) => {
    const fault: unknown = await inspectRedis(address, 5_000).catch((error: unknown) => error)
    return (fault as RedisFault).code
  }
  const ofAnother = url
    .replace('://', `://127.0.0.1:${await findFreePort()},`)
    .replace('/lettres', '/letters')
  expect(await isSaid(ofAnother)).toBe('name')
  expect(await isSaid((await aRedis()).url.replace('redis:', 'redis+sentinel:') + '/lettres')).toBe(
    'no_sentinel',
  )

  const { nodes, url: cluster } = await aRedisCluster()
  const [first, ...others] = nodes
  await Promise.all(others.map((node) => node.stop()))
  await until('it takes nothing', () =>
    Promise.resolve(ask(first?.port ?? 0, 'cluster', 'info').includes('cluster_state:fail')),
  )
  expect(await isSaid(cluster)).toBe('unreachable')
})
