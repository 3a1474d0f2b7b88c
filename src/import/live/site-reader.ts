import type { SiteReader } from '../../services/sources/site.ts'
import { createDiscovery } from './discovery.ts'
import { createFeedReader } from './live-feed.ts'
import { createVisitor } from './visitor.ts'
import { createWordpressReader } from './wordpress-rest.ts'

/** @param options `sourceHosts`: private hosts that the operator lets sources reach */
export function createSiteReader(options: { publicUrl: string; sourceHosts: string[] }): SiteReader {
  const { visit, findShortlink } = createVisitor(options)
  const wordpress = createWordpressReader(visit)
  return {
    discover: createDiscovery(visit, wordpress),
    wordpress,
    feed: createFeedReader(visit, findShortlink),
  }
}
