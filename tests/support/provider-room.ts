import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { sealReference } from '../../src/domain/delivery/mail-reference.ts'
import type { ProviderName } from '../../src/domain/deliverability/provider-event.ts'
import { cloneDatabase } from './database.ts'
import type { SignedPosting } from './provider-postings.ts'
import { aSendingDigest, query } from './sending-digest.ts'
import { aWeb } from './web.ts'

const admin = { kind: 'cli', role: 'admin' } as const

export interface Reader {
  id: number
  address: string
  /** As our mail to them has it. */
  messageId: string
  /** What our header hands to a provider. */
  seal: string
}

/** A newsroom whose digest went to three readers, with one provider in use. */
export async function aProviderRoom(
  name: ProviderName,
  options: Pick<NonNullable<Parameters<typeof aWeb>[0]>, 'now' | 'fetchForProvider' | 'env' | 'log'> = {},
) {
  const databaseUrl = await cloneDatabase()
  const { digestId, newsletterId } = await aSendingDigest(databaseUrl, { readers: 3 })
  const web = await aWeb({ databaseUrl, ...options })
  const { keyring, services } = web.context
  const find = async (wanted: ProviderName) => {
    const found = (await services.providers.list()).find((one) => one.name === wanted)
    if (!found) throw new Error('this room has no such provider')
    return found
  }
  const rows = <Row>(statement: string, values: unknown[] = []) => query<Row>(databaseUrl, statement, values)
  const found = await rows<{ id: string; address: string }>('select id, address from subscribers order by id')
  const readers = found.map(({ id, address }): Reader => {
    const sealed = sealReference(keyring, 'message-id', {
      kind: 'digest',
      digestId,
      subscriberId: Number(id),
    })
    return {
      id: Number(id),
      address,
      messageId: `<${sealed}@rivage.example>`,
      seal: sealed.replace('.', '-'),
    }
  })
  const { url } = await services.providers.start(name, admin)
  const path = new URL(url).pathname
  const post = async ({ body, headers = {} }: SignedPosting, to = path) =>
    (await web.fetch(to, { method: 'POST', body, headers })).status
  return {
    web,
    digestId,
    newsletterId,
    readers: readers as [Reader, Reader, Reader],
    path,
    rows,
    services,
    post,
    postJson: (json: unknown, to = path) => post({ body: JSON.stringify(json) }, to),
    setKey: (key: string) => services.providers.setKey(name, key, admin),
    /** `active`, or why they left, reader by reader. */
    readersNow: async () =>
      (
        await rows<{ is: string }>(
          'select coalesce(ended_reason, state) as is from subscriptions order by subscriber_id',
        )
      ).map((row) => row.is),
    classes: async () =>
      (await rows<{ class: string }>('select class from bounces order by id')).map((row) => row.class),
    suppressed: async () =>
      (await rows<{ reason: string }>('select reason from suppressions order by id')).map(
        (row) => row.reason,
      ),
    find,
    counts: async () =>
      Object.fromEntries((await find(name)).counts.map(({ kind, n, strange }) => [kind, [n, strange]])),
  }
}

export type ProviderRoom = Awaited<ReturnType<typeof aProviderRoom>>

export const untouched = async (room: ProviderRoom) => {
  expect(await room.readersNow()).toEqual(['active', 'active', 'active'])
  expect(await room.classes()).toEqual([])
  expect(await room.suppressed()).toEqual([])
}

/** Amazon, on this machine: what it was asked for, and what it answers. */
export async function anAmazon(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const asked: string[] = []
  const fetchForProvider = async (url: string) => {
    asked.push(url)
    const { pathname, search } = new URL(url)
    const response = await fetch(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`,
    )
    if (!response.ok) throw new Error(`the server answers ${response.status}`)
    return { body: Buffer.from(await response.arrayBuffer()) }
  }
  return { asked, fetchForProvider }
}
