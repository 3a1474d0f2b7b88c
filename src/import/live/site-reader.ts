import type { SiteReader } from '../../services/sources/site.ts'
import { createDiscovery } from './discovery.ts'
import { createFeedReader } from './live-feed.ts'
import { createSiteClient } from './site-client.ts'
import { createWordpressReader } from './wordpress-rest.ts'

/** @param options `sourceHosts`: private hosts that the operator lets sources reach */
export function createSiteReader(options: { publicUrl: string; sourceHosts: string[] }): SiteReader {
  const { visit, findShortlink } = createSiteClient(options)
  const wordpress = createWordpressReader(visit)
  return {
    discover: createDiscovery(visit, wordpress),
    wordpress,
    feed: createFeedReader(visit, findShortlink),
  }
}
