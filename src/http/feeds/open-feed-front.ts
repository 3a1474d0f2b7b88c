import type { Context } from '../../context.ts'
import { createClientAddress } from '../client-address.ts'
import { createFeedFront, type FeedFront } from './feed-front.ts'
import { createFeedLimit, feedLimitSeconds } from './feed-limit.ts'

/** The feed front of one process, with its memory, its limit and its counts. */
export function openFeedFront({ config, counters, log, services }: Context): FeedFront {
  const { feedMemory, feedPolls } = services
  const { feedLimit: limit } = config
  // Without Redis the counts would be rows: a poll is not worth a write.
  const isShared = config.redisUrl !== undefined && limit !== Infinity
  const isBeyondLimit = createFeedLimit({
    limit,
    shared: isShared ? counters.open({ name: 'feed', points: limit, seconds: feedLimitSeconds }) : undefined,
  })
  const clientAddress = createClientAddress(config.trustProxy, () => undefined)
  return createFeedFront({
    publicUrl: config.publicUrl,
    feeds: feedMemory,
    isLimited: (request, path) => isBeyondLimit(path, () => clientAddress(request).limitKey),
    onPoll: (request, path, outcome) => {
      feedPolls.count(path, request.headers['user-agent'], outcome)
    },
    onError: (error, path) => {
      log.warn({ path, reason: String(error) }, 'a feed could not be read')
    },
  })
}
