import { expect, test } from 'vitest'
import { aSendingDigest, query } from '../support/sending-digest.ts'
import { aWeb } from '../support/web.ts'

test('progress is of the state that the digest is in, however recently it was counted', async () => {
  const { context } = await aWeb()
  const url = context.config.databaseUrl
  const { digestId } = await aSendingDigest(url, { readers: 3 })
  const { digestProgress } = context.services
  expect(await digestProgress.get(digestId)).toMatchObject({ state: 'sending', counts: { pending: 3 } })
  await query(url, `update digests set state = 'paused', resume_state = 'sending' where id = $1`, [digestId])
  expect(await digestProgress.get(digestId)).toMatchObject({ state: 'paused', isFinal: false })
  await query(url, `update digests set state = 'cancelled', resume_state = null where id = $1`, [digestId])
  expect(await digestProgress.get(digestId)).toMatchObject({ state: 'cancelled', isFinal: false })
})

test('it is final once nobody waits any more, and then its page is no longer told', async () => {
  const { context } = await aWeb()
  const url = context.config.databaseUrl
  const { digestId } = await aSendingDigest(url, { readers: 3 })
  const { digestProgress } = context.services
  await query(url, `update digests set state = 'cancelled' where id = $1`, [digestId])
  await query(url, `update deliveries set state = 'skipped' where digest_id = $1`, [digestId])
  expect(await digestProgress.get(digestId)).toMatchObject({
    state: 'cancelled',
    isFinal: true,
    counts: { pending: 0, skipped: 3 },
  })
})
