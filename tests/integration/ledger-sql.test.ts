import { expect, test } from 'vitest'
import { cloneDatabase, openTestDatabase } from '../support/database.ts'
import { quickTimes } from '../support/sending.ts'
import { recordStatements } from '../support/statements.ts'

/** One line as it was written, indented by the brackets that are open. */
function indented(statement: string): string {
  let depth = 0
  const lines = statement.split('\n').flatMap((line) => {
    const text = line.trim()
    if (text === '') return []
    const own = /^\)/.test(text) ? depth - 1 : depth
    depth += (text.match(/\(/g)?.length ?? 0) - (text.match(/\)/g)?.length ?? 0)
    return [`${'  '.repeat(Math.max(0, own))}${text}`]
  })
  return lines.join('\n')
}

const lease = { key: 1, token: '00000000-0000-4000-8000-000000000000' }
const failure = { reason: 'busy', answer: '451 4.3.0 busy' }

test.each(['deliveries', 'outbox'] as const)(
  'what the ledger of %s asks PostgreSQL is as it was reviewed (vitest -u writes it)',
  async (table) => {
    const { stores } = openTestDatabase(await cloneDatabase())
    const leases =
      table === 'deliveries' ? stores.deliveries.leasesOf(1, quickTimes) : stores.outbox.leases(quickTimes)
    const statements = recordStatements()
    const asked: string[] = []
    const record = async (name: string, ask: () => Promise<unknown>) => {
      statements.length = 0
      await ask()
      asked.push(`-- ${name}\n${statements.map(indented).join('\n')};\n`)
    }
    await record('claim', () => leases.claim(10, 0))
    await record('claim, where domains are avoided', () => leases.claim(10, 0, ['busy.example']))
    await record('hasPending', () => leases.hasPending())
    await record('extend', () => leases.extend([lease]))
    await record('record', () => leases.record([lease, { key: 2, answer: '250 2.0.0 ok' }]))
    await record('markDeferred', () => leases.markDeferred(lease, failure))
    await record('markRejected', () => leases.markRejected(lease, failure))
    await record('postpone', () => leases.postpone(lease, failure))
    await record('markAmbiguous', () => leases.markAmbiguous(lease, 'no answer'))
    await record('release', () => leases.release([lease]))
    await record('recover', () => leases.recover())
    await record('wake', () => leases.wake())
    await expect(asked.join('\n')).toMatchFileSnapshot(`../fixtures/sql/${table}.sql`)
  },
)
