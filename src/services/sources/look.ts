import { compareFaces } from '../../domain/sources/source.ts'
import type { RunCounts } from '../../store/sources/source-runs.ts'
import type { StoredItem } from '../../store/sources/source-items.ts'
import type { ClaimedSource, SourceProgress } from '../../store/sources/sources.ts'
import type { Stores } from '../../store/stores.ts'
import { knownSections } from '../articles/selections.ts'
import type { Parts } from '../parts.ts'
import type { ReadingContext, Site } from './site.ts'

export type LookParts = Pick<Parts, 'config' | 'database' | 'doorbell' | 'now' | 'log' | 'sites'>

/** Another worker has the source by now: what this one has read is not written. */
export class LeaseLost extends Error {}

/** Another home answers than the one that is followed. */
export class SiteMoved extends Error {}

/** One look at a source, and what it has come to. */
export interface Look {
  source: ClaimedSource
  site: Site
  context: ReadingContext
  counts: RunCounts
  /** What is here and protected there since. */
  gone: Map<string, StoredItem>
  /** What it has read, by remote id: once is enough. */
  read: Set<string>
  /** There is more to read than this look takes. */
  isUnfinished: boolean
  /** Something is gone, and is asked for again. */
  isMissing: boolean
  /** Whether the look has to end. */
  isOver: () => boolean
  /** What the site is now, asked once; the first answer is what later ones are compared with. @throws SiteMoved, LeaseLost */
  findChange: () => Promise<'changed' | undefined>
  /** How far the source has been read. @throws LeaseLost */
  save: (progress: SourceProgress) => Promise<void>
}

export async function readingContext(
  { publication, selections }: Pick<Stores, 'publication' | 'selections'>,
  readAt: Date,
): Promise<ReadingContext> {
  const { languages, zone } = await publication.get()
  return { languages, zone, sections: knownSections(await selections.list('section')), readAt }
}

export function openLook(
  parts: LookParts,
  source: ClaimedSource,
  { context, isOver }: Pick<Look, 'context' | 'isOver'>,
): Look {
  const { database, sites } = parts
  const site = { ...source, bypassCaches: source.reason !== 'clock' }
  const save = async (progress: SourceProgress) => {
    if (!(await database.stores.sources.updateProgress(source, progress))) throw new LeaseLost()
  }
  let change: Promise<'changed' | undefined> | undefined
  const findChange = async () => {
    const { home, face, homes } = await sites.wordpress.identify(site)
    const isAccepted = source.home === ''
    const found = isAccepted ? undefined : compareFaces(source, { home, face })
    if (found === 'moved') throw new SiteMoved()
    // What external ids are made of.
    site.home = home
    if (!found && (isAccepted || source.face === '')) await save({ home, face, homes })
    return found
  }
  return {
    source,
    site,
    context,
    counts: { created: 0, updated: 0, skipped: 0, withdrawn: 0, restored: 0 },
    gone: new Map(),
    read: new Set(),
    isUnfinished: false,
    isMissing: false,
    isOver,
    findChange: () => (change ??= findChange()),
    save,
  }
}
