import type { SourceView } from '../../src/services/sources/sources.ts'
import type { SourceInput } from '../../src/services/sources/input.ts'
import { aNewsroom, type Newsroom } from './feeds.ts'
import { rowsOf } from './query.ts'
import { aWordpress, type FakeWordpress } from './wordpress.ts'

const desk = { kind: 'cli', role: 'admin' } as const

export interface Followed extends Newsroom {
  sourceId: number
  /** A look, whatever the time: by the clock, or because the site rang. */
  look: (wish?: { isRung?: boolean }) => Promise<SourceView>
  /** What was missing has been so for long enough. */
  waitAMinute: () => Promise<void>
  /** The public articles here, by title, and their states. */
  titles: () => Promise<Record<string, string>>
  sql: <T extends object>(statement: string, values?: unknown[]) => Promise<T[]>
}

export interface FollowedSite extends Followed {
  wordpress: FakeWordpress
}

interface FollowWish {
  source?: Partial<SourceInput>
  web?: Parameters<typeof aNewsroom>[0]
}

interface Wish extends FollowWish {
  wordpress?: FakeWordpress
  /** Before it is followed. */
  prepare?: (wordpress: FakeWordpress) => void
}

/** A newsroom that follows a WordPress, and has caught up with it. */
export async function aFollowedSite(wish: Wish = {}): Promise<FollowedSite> {
  const wordpress = wish.wordpress ?? (await aWordpress())
  wish.prepare?.(wordpress)
  return { ...(await follow(wordpress.home, wish)), wordpress }
}

/** The same with a site that runs already. */
export async function follow(address: string, wish: FollowWish = {}): Promise<Followed> {
  const newsroom = await aNewsroom({ ...wish.web, env: { SOURCE_HOSTS: '127.0.0.1', ...wish.web?.env } })
  const { services } = newsroom.context
  const { id } = await services.sources.add({ address, ...wish.source }, desk)
  const sql: Followed['sql'] = (statement, values) => rowsOf(newsroom, statement, values)
  const site: Followed = {
    ...newsroom,
    sourceId: id,
    sql,
    async look({ isRung = false } = {}) {
      // The looks of a test come one after the other.
      await sql(
        `update sources set next_at = now()${isRung ? ', rung_at = clock_timestamp()' : ', looked_at = clock_timestamp()'}, lease_until = null`,
      )
      await services.sourceSync.work(id)
      return services.sources.get(id)
    },
    async waitAMinute() {
      await sql(`update source_items set missing_since = missing_since - interval '2 minutes'`)
    },
    async titles() {
      const rows = await sql<{ title: string; state: string }>(
        'select title, state from articles order by id',
      )
      return Object.fromEntries(rows.map(({ title, state }) => [title, state]))
    },
  }
  // A look ends after some seconds, and another goes on.
  while ((await site.look()).state === 'catching-up') continue
  return site
}
