import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { inject, onTestFinished } from 'vitest'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createDatabaseNamed } from './database.ts'
import { query } from './query.ts'
import { runSql } from './sql.ts'

const directory = new URL('../fixtures/upgrade/', import.meta.url)

interface Mail {
  kind: 'activation' | 'preferences-link' | 'digest'
  to: string
  from: string
  messageId: string
  oneClick?: string
  mailto?: string
  urls: string[]
}

/** What the world outside knew of the newsroom in tests/fixtures/upgrade when it was dumped. */
export interface OldNewsroom {
  madeAt: string
  secretKey: string
  publicUrl: string
  apiKey: string
  signInLink: string
  digests: Record<'completed' | 'approved' | 'paused' | 'middle' | 'draft', number>
  copiesOfMiddle: string[]
  articles: {
    externalId: string
    guid: string
    slug: string
    shortCode: string
    state: string
    oldPath: string | null
  }[]
  responses: { externalId: string; guid: string }[]
  feeds: { path: string; status: number; etag: string; lastModified: string }[]
  atomIds: Record<string, string[]>
  mails: Mail[]
  /** What a GET of each link was answered. */
  links: Record<string, number>
}

export const oldNewsroom = JSON.parse(
  readFileSync(new URL('expected.json', directory), 'utf8'),
) as OldNewsroom

/** Tables whose times decide what may still be sent or opened. */
const movedTables = ['digests', 'deliveries', 'outbox', 'activations', 'activation_mails', 'sign_in_links']

/** The old version's database as if it had been dumped two minutes ago; not migrated. */
export async function anOldDatabase(): Promise<string> {
  const serverUrl = inject('postgresUrl')
  const name = `test_old_${Math.random().toString(36).slice(2)}`
  await createDatabaseNamed(serverUrl, name)
  onTestFinished(() => runSql(serverUrl, `drop database ${name}`))
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await runSql(url.href, gunzipSync(readFileSync(new URL('database.sql.gz', directory))).toString())
  await moveTimes(url.href)
  return url.href
}

/** The same after today's migrations. */
export async function anUpgradedDatabase(): Promise<string> {
  const url = await anOldDatabase()
  await migrate(url)
  await migrateQueue({ kind: 'postgres', url })
  return url
}

async function moveTimes(url: string): Promise<void> {
  const columns = await query<{ table: string; sets: string }>(
    url,
    `select table_name as table,
       string_agg(format('%1$I = %1$I + (now() - interval ''2 minutes'' - %2$L::timestamptz)', column_name, $1::text), ', ') as sets
     from information_schema.columns
     where table_schema = 'public' and data_type = 'timestamp with time zone' and table_name = any($2)
     group by 1`,
    [oldNewsroom.madeAt, movedTables],
  )
  await runSql(url, columns.map(({ table, sets }) => `update ${table} set ${sets};`).join('\n'))
}
