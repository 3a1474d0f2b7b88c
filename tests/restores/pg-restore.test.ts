import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aConfig } from '../support/config.ts'
import { openTestDatabase } from '../support/database.ts'
import { aDebianCluster } from '../support/debian-cluster.ts'
import { aSender } from '../support/sending.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'

type Cluster = Awaited<ReturnType<typeof aDebianCluster>>

interface Backup {
  custom: string
  plain: string
}

/** As docs/operations.md has them, and as administrators do. @returns the database that came of it */
const restores: Record<string, (cluster: Cluster, backup: Backup) => Promise<string>> = {
  'pg_restore --clean into the same database'({ url, run }, { custom }) {
    run('pg_restore', ['--clean', '--if-exists', '--no-owner', '--dbname', url, custom])
    return Promise.resolve(url)
  },
  async 'pg_restore into another database'({ url, run }, { custom }) {
    await query(url, 'create database another')
    const another = url.replace(/postgres$/, 'another')
    run('pg_restore', ['--no-owner', '--dbname', another, custom])
    return another
  },
  'plain SQL by psql into the same database'({ url, run }, { plain }) {
    run('psql', ['--quiet', '--set', 'ON_ERROR_STOP=1', '--dbname', url, '--file', plain])
    return Promise.resolve(url)
  },
  async 'pg_restore --data-only into emptied tables'({ url, run }, { custom }) {
    const tables = await query<{ name: string }>(
      url,
      `select string_agg(quote_ident(tablename), ', ') as name from pg_tables where schemaname = 'public'`,
    )
    await query(url, `truncate ${tables[0]?.name ?? ''}`)
    run('pg_restore', ['--data-only', '--disable-triggers', '--schema=public', '--dbname', url, custom])
    return url
  },
  'a copy of the cluster’s files, started beside it': (cluster) => cluster.copy(),
}

test.each(Object.keys(restores))('P11 %s: held before and after any worker has looked', async (way) => {
  const cluster = await aDebianCluster()
  await migrate(cluster.url)
  await migrateQueue({ kind: 'postgres', url: cluster.url })
  const { digestId } = await aSendingDigest(cluster.url, { readers: 20 })
  const sink = await aSmtpSink()
  const running = await aSender(openTestDatabase(cluster.url), { smtpUrl: sink.url })
  const directory = mkdtempSync('/var/tmp/depeche-dump-')
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const backup = { custom: join(directory, 'depeche.dump'), plain: join(directory, 'depeche.sql') }
  writeFileSync(backup.custom, cluster.run('pg_dump', ['--format=custom', cluster.url]))
  writeFileSync(backup.plain, cluster.run('pg_dump', ['--clean', '--if-exists', '--no-owner', cluster.url]))
  // A copy of the files is of the moment; the dumps are of before.
  if (!way.startsWith('a copy')) await running.sending.deliverDigest(digestId)
  const before = sink.received.length

  const url = await restores[way]?.(cluster, backup)
  if (url === undefined) throw new Error('a way leads somewhere')
  if (url === cluster.url) await running.sending.deliverDigest(digestId)
  expect(sink.received).toHaveLength(before)
  const context = createContext(aConfig(url), { log: createLogger('silent', 'web') })
  onTestFinished(() => context.close())
  expect(await context.services.health.report()).toMatchObject({ held: true })
  expect(await context.services.restoredCopy.findHold()).toMatchObject({ digests: 1 })

  const worker = await aSender(openTestDatabase(url), { smtpUrl: sink.url })
  expect(worker.presence.obstacle()).toBe('restored')
  await worker.sending.deliverDigest(digestId)
  expect(sink.received).toHaveLength(before)
  expect(await context.services.restoredCopy.confirm({ kind: 'cli', role: 'admin' })).toBe(1)
  await worker.presence.beat()
  await worker.sending.deliverDigest(digestId)
  expect(sink.received).toHaveLength(before + 20)
})
