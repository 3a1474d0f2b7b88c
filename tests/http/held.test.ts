import { expect, test } from 'vitest'
import { signedIn } from '../support/desk.ts'
import { rowsOf } from '../support/query.ts'
import { aSendingDigest } from '../support/sending-digest.ts'
import { cloneDatabase } from '../support/database.ts'
import { depeche } from '../support/cli.ts'
import { aWeb } from '../support/web.ts'

/** A web process on a copy that its workers have found out to be one. */
async function aHeldWeb() {
  const databaseUrl = await cloneDatabase()
  const { digestId } = await aSendingDigest(databaseUrl, { readers: 3 })
  const web = await aWeb({ databaseUrl })
  web.context.lifecycle.markReady()
  await web.context.database.transaction(async ({ instanceGuard }) => {
    await instanceGuard.put({ system: 'another/1', timeline: 1, files: '', isWhole: true })
    await instanceGuard.markHeld()
  })
  const stateOf = async () => (await web.context.database.stores.digests.get(digestId)).state
  return { web, databaseUrl, stateOf }
}

test('P11 every page of a held copy says so, and an admin lets mail go', async () => {
  const { web, stateOf } = await aHeldWeb()
  const editor = await signedIn(web, 'editor')
  for (const path of ['', '/digests', '/newsletters', '/articles', '/subscribers', '/feeds', '/settings']) {
    const page = await (await editor.get(path)).text()
    expect(page, path).toContain('cette base de données est une copie')
    expect(page, path).toContain('1 envoi est retenu')
    expect(page, path).not.toContain('/settings/release')
  }
  expect((await editor.post('/settings/release', { sure: 'yes' })).status).toBe(403)

  const admin = await signedIn(web, 'admin')
  expect(await (await admin.get('')).text()).toContain('action="/desk/settings/release"')
  expect((await admin.post('/settings/release', {})).status).toBe(422)
  expect(await stateOf()).toBe('paused')
  const released = await admin.post('/settings/release', { sure: 'yes' })
  expect(released.headers.get('location')).toBe('/desk/?notice=mail-released')
  expect(await stateOf()).toBe('sending')
  expect(await (await admin.get('')).text()).not.toContain('est une copie')
  expect((await admin.post('/settings/release', { sure: 'yes' })).status).toBe(409)
  expect(await rowsOf(web, `select actor from audit where action = 'restore.confirmed'`)).toEqual([
    { actor: `editor:${admin.editorId}` },
  ])
})

test('P11 a digest whose time is over while it was held waits for the desk', async () => {
  const { web, stateOf } = await aHeldWeb()
  await rowsOf(web, `update digests set expires_at = now() - interval '1 hour'`)
  expect(await web.context.services.restoredCopy.confirm({ kind: 'cli', role: 'admin' })).toBe(0)
  expect(await stateOf()).toBe('paused')
  expect(await rowsOf(web, 'select paused_reason from digests')).toEqual([{ paused_reason: 'expired' }])
})

test('P11 /readyz and doctor tell of the hold, and the command line lifts it', async () => {
  const { web, databaseUrl, stateOf } = await aHeldWeb()
  const ready = await web.fetch('/readyz')
  expect([ready.status, await ready.json()]).toMatchObject([200, { held: true }])
  const doctor = await depeche(databaseUrl, ['doctor', '--json'])
  expect(doctor.code).toBe(1)
  expect(JSON.parse(doctor.stdout)).toMatchObject({
    findings: expect.arrayContaining([
      expect.objectContaining({ name: 'restored', verdict: 'no' }),
    ]) as object,
  })
  expect((await depeche(databaseUrl, ['restore', 'confirm'])).stdout).toContain('digests that go on: 1')
  expect(await stateOf()).toBe('sending')
})
