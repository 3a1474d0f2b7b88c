import type { Doorbell } from '../../queue/enqueue.ts'

/** After something that readers see has changed: feeds are rendered, and drafts follow. */
export async function ringForChange(doorbell: Doorbell): Promise<void> {
  await Promise.all([doorbell.ring('render-feeds', {}), doorbell.ring('refresh-drafts', {})])
}
