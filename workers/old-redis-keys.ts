import type { Context } from '../src/context.ts'
import { unlinkOldKeys } from '../src/queue/old-redis-keys.ts'

const quietMs = 60 * 60_000

/** Once no worker of a version before the braces was seen for an hour, what it has left in Redis goes. */
export function createOldKeySweep(
  { config: { redisUrl }, database, log }: Pick<Context, 'config' | 'database' | 'log'>,
  now = () => performance.now(),
) {
  let quietSince = now()
  let isDone = redisUrl === undefined
  return async (): Promise<void> => {
    if (isDone || redisUrl === undefined) return
    if (await database.stores.workers.areOlderAlive('braces')) quietSince = now()
    if (now() - quietSince < quietMs) return
    const keys = await unlinkOldKeys(redisUrl)
    isDone = true
    if (keys > 0) log.info({ keys }, 'what an older version left in Redis is gone')
  }
}
