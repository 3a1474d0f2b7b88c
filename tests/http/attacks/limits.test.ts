import { expect, onTestFinished, test } from 'vitest'
import { findFreePort } from '../../../src/embedded/ports.ts'
import { cloneDatabase, openTestDatabase } from '../../support/database.ts'
import { aNewsletter } from '../../support/newsletters.ts'
import { query } from '../../support/query.ts'
import { aRedis } from '../../support/redis.ts'
import { spawnWeb } from '../../support/web-process.ts'

/** Two web processes on one database. */
async function aPair(env: Record<string, string>) {
  const databaseUrl = await cloneDatabase()
  const { slug } = await aNewsletter(openTestDatabase(databaseUrl))
  const ports = [await findFreePort(), await findFreePort()]
  for (const port of ports) {
    const web = await spawnWeb({ databaseUrl, port, env: { TRUST_PROXY: '127.0.0.1/32', ...env } })
    onTestFinished(() => {
      web.kill('SIGKILL')
    })
  }
  let asked = 0
  /** From one client, by turns at one and the other. */
  const ask = async (from: string): Promise<number> => {
    asked += 1
    const response = await fetch(`http://127.0.0.1:${ports[asked % 2]}/subscribe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify({ email: `reader-${asked}@reader.example`, newsletters: [slug] }),
    })
    await response.body?.cancel()
    return response.status
  }
  const askTimes = async (times: number, from: string) => {
    const statuses = []
    for (let n = 0; n < times; n++) statuses.push(await ask(from))
    return statuses
  }
  return { databaseUrl, askTimes }
}

const accepted = Array.from({ length: 15 }, () => 202)

test.each(['redis', 'postgres'])('two web processes count one client together, on %s', async (kind) => {
  const redis = kind === 'redis' ? await aRedis() : undefined
  const { databaseUrl, askTimes } = await aPair(redis ? { REDIS_URL: redis.url } : {})
  expect(await askTimes(17, '198.51.100.7')).toEqual([...accepted, 429, 429])
  // The rest of a /64 is the same client, another /64 is not.
  expect(await askTimes(15, '2001:db8:1:1::1')).toEqual(accepted)
  expect(await askTimes(1, '2001:db8:1:1:ffff::2')).toEqual([429])
  expect(await askTimes(1, '2001:db8:1:2::1')).toEqual([202])
  expect(await query(databaseUrl, 'select count(*)::int as n from activations')).toEqual([{ n: 31 }])
})

test('while Redis is away each process counts alone, and nobody is turned away for it', async () => {
  const redis = await aRedis()
  const { askTimes } = await aPair({ REDIS_URL: redis.url })
  expect(await askTimes(2, '198.51.100.7')).toEqual([202, 202])
  await redis.stop()
  expect(new Set(await askTimes(10, '198.51.100.7'))).toEqual(new Set([202]))
  const statuses = await Promise.all(Array.from({ length: 40 }, () => askTimes(1, '198.51.100.7')))
  expect(new Set(statuses.flat())).toEqual(new Set([202, 429]))
  expect(statuses.flat().filter((status) => status === 202).length).toBeLessThanOrEqual(20)
})
