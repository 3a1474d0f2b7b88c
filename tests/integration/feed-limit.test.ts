import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { cloneDatabase } from '../support/database.ts'
import { aNewsroom } from '../support/feeds.ts'
import { poll } from '../support/poll.ts'
import { aRedis } from '../support/redis.ts'

const limit = 200

test('H14 with Redis a client that has used up its polls at one web process is refused by the other', async () => {
  const { url: redisUrl } = await aRedis()
  const databaseUrl = await cloneDatabase()
  const env = {
    PUBLIC_URL: 'https://rivage.example',
    REDIS_URL: redisUrl,
    FEED_LIMIT: String(limit),
  }
  const [one, other] = [await aNewsroom({ databaseUrl, env }), await aNewsroom({ databaseUrl, env })]
  await one.put('a1')
  await one.render()
  const { headers } = await poll(`${one.origin}/rss.xml`)
  await Promise.all(Array.from({ length: limit - 1 }, () => poll(`${one.origin}/rss.xml`)))

  // Never as many as the other process would refuse by its own count.
  let status = 200
  for (let polls = 1; polls < limit / 2 && status === 200; polls++) {
    status = (await poll(`${other.origin}/rss.xml`)).status
    await pause(250)
  }
  expect(status).toBe(429)
  const conditional = { headers: { 'if-none-match': headers.etag ?? '' } }
  expect((await poll(`${other.origin}/rss.xml`, conditional)).status).toBe(304)
  expect((await poll(`${other.origin}/atom.xml`)).status).toBe(200)
})
