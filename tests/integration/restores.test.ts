import { expect, inject, onTestFinished, test } from 'vitest'
import { migrate } from '../../src/store/migrate.ts'
import { depeche } from '../support/cli.ts'
import { restoreInto } from '../support/cluster.ts'
import { cloneDatabase, createDatabaseNamed, openTestDatabase } from '../support/database.ts'
import { aSender } from '../support/sending.ts'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { aSmtpSink } from '../support/smtp-sink.ts'
import { runSql } from '../support/sql.ts'
import { anOldDatabase } from '../support/upgrade.ts'
import { aWeb } from '../support/web.ts'

/** What a dump would hold now. */
async function backUp(url: string): Promise<string> {
  const backup = new URL(url)
  backup.pathname += '_backup'
  const name = backup.pathname.slice(1)
  await createDatabaseNamed(inject('postgresUrl'), name)
  onTestFinished(() => runSql(inject('postgresUrl'), `drop database ${name}`))
  await migrate(backup.href)
  await restoreInto(backup.href, url)
  return backup.href
}

/** The ways of a dump back into the database it came from; what else of it stands or not. */
const restores: Record<string, (url: string, backup: string) => Promise<void>> = {
  async 'drop, create and copy, as pg_restore --clean does'(url, backup) {
    await runSql(url, 'drop schema public cascade; create schema public')
    await migrate(url)
    await restoreInto(url, backup)
  },
  'rows alone, as --data-only does into emptied tables': (url, backup) => restoreInto(url, backup),
  async 'a dump of the version before, which knows no stamp'(url, backup) {
    const stamp = await query<{ oid: number; xid: string }>(
      url,
      'select guard_oid as oid, written_in as xid from instance_stamp',
    )
    await runSql(
      url,
      'create table again (like instance_guard including all); drop table instance_guard; alter table again rename to instance_guard',
    )
    await restoreInto(url, backup)
    await runSql(
      url,
      `begin; update instance_stamp set guard_oid = ${stamp[0]?.oid ?? 0}, written_in = pg_current_xact_id()::xid::text; commit`,
    )
  },
}

test.each(Object.keys(restores))(
  'P11 restored in place: %s; nothing leaves, and everybody says so',
  async (way) => {
    const url = await cloneDatabase()
    const { digestId } = await aSendingDigest(url, { readers: 6 })
    await query(url, `insert into outbox (kind, address) values ('desk-notice', 'desk@rivage.example')`)
    const sink = await aSmtpSink()
    const worker = await aSender(openTestDatabase(url), { smtpUrl: sink.url })
    const backup = await backUp(url)
    await worker.sending.deliverDigest(digestId)
    await worker.sending.deliverMail()
    expect(sink.received).toHaveLength(7)

    await restores[way]?.(url, backup)
    // A worker that ran all the while and has not beaten since.
    expect(worker.presence.obstacle()).toBeUndefined()
    await worker.sending.deliverDigest(digestId)
    await worker.sending.deliverMail()
    expect(sink.received).toHaveLength(7)

    // Before any worker looks again.
    const web = await aWeb({ databaseUrl: url, hasNewsroom: true })
    web.context.lifecycle.markReady()
    expect(await (await web.fetch('/readyz')).json()).toMatchObject({ held: true })
    const doctor = JSON.parse((await depeche(url, ['doctor', '--json'])).stdout) as {
      findings: { name: string; verdict: string }[]
    }
    expect(doctor.findings).toContainEqual(expect.objectContaining({ name: 'restored', verdict: 'no' }))
    expect(await web.context.services.restoredCopy.findHold()).toMatchObject({ digests: 1 })
    await worker.presence.beat()
    expect(worker.presence.obstacle()).toBe('restored')
    await worker.sending.deliverDigest(digestId)
    await worker.sending.deliverMail()
    expect(sink.received).toHaveLength(7)

    // What starts meanwhile is held too.
    await query(url, `update digests set state = 'sending', resume_state = null, paused_reason = null`)
    await worker.presence.beat()
    expect(await query(url, 'select state, paused_reason from digests')).toEqual([
      { state: 'paused', paused_reason: 'restored' },
    ])

    const confirmed = await depeche(url, ['restore', 'confirm'])
    expect([confirmed.code, confirmed.stdout]).toEqual([0, 'sending again; digests that go on: 1\n'])
    expect(await web.context.database.stores.instanceGuard.isHeld()).toBe(false)
    await worker.presence.beat()
    await worker.sending.deliverDigest(digestId)
    expect(sink.received).toHaveLength(13)
    expect((await depeche(url, ['restore', 'confirm'])).code).toBe(1)
  },
)

test('P11 before any worker ran: the first command that looks finds the copy, and pauses what was going out', async () => {
  const url = await cloneDatabase()
  const { digestId } = await aSendingDigest(url, { readers: 2 })
  const sink = await aSmtpSink()
  await aSender(openTestDatabase(url), { smtpUrl: sink.url })
  await restoreInto(url, await backUp(url))
  const web = await aWeb({ databaseUrl: url, hasNewsroom: true })
  expect(await web.context.services.restoredCopy.confirm({ kind: 'cli', role: 'admin' })).toBe(1)
  expect(await web.context.database.stores.digests.get(digestId)).toMatchObject({ state: 'sending' })
})

test('P11 what an administrator does to tables, and a worker of the version before, hold nothing', async () => {
  const url = await cloneDatabase()
  const sink = await aSmtpSink()
  const { presence } = await aSender(openTestDatabase(url), { smtpUrl: sink.url })
  for (const statement of [
    'vacuum full instance_stamp',
    'vacuum full instance_guard',
    'vacuum (freeze) instance_stamp',
    'cluster instance_stamp using instance_stamp_pkey',
    'reindex table instance_stamp',
    'alter table instance_guard add column later text',
    'analyze',
    // As that version beats.
    `insert into instance_guard (system_identifier, timeline, files) select system_identifier, timeline, files from instance_guard
     on conflict (only_row) do update
     set system_identifier = excluded.system_identifier, timeline = excluded.timeline, files = excluded.files,
         beat_at = clock_timestamp(), held_at = null`,
  ]) {
    await runSql(url, statement)
    await presence.beat()
    expect([statement, presence.obstacle()]).toEqual([statement, undefined])
  }
})

test.each([
  ['an upgrade goes on', 'update instance_guard set system_identifier = system_identifier', undefined],
  [
    'a restored dump of the version before, migrated, is held',
    `create table kept as table instance_guard; truncate instance_guard; insert into instance_guard table kept; drop table kept`,
    'restored',
  ],
])('P11 %s', async (_what, statement, obstacle) => {
  const url = await anOldDatabase()
  const twin = openTestDatabase(await cloneDatabase())
  const identity = await twin.stores.instanceGuard.getIdentity()
  const [{ oid } = { oid: '' }] = await query<{ oid: string }>(
    url,
    'select oid::text from pg_database where datname = current_database()',
  )
  await query(
    url,
    'update instance_guard set system_identifier = $1, timeline = $2, files = $3, beat_at = now()',
    [identity.system.replace(/\d+$/, oid), identity.timeline, identity.files],
  )
  await runSql(url, statement)
  await migrate(url)
  const sink = await aSmtpSink()
  const { presence } = await aSender(openTestDatabase(url), { smtpUrl: sink.url })
  expect(presence.obstacle()).toBe(obstacle)
})
