import { expect, onTestFinished, test } from 'vitest'
import { openInboundReader } from '../../src/mail/inbound/inbound-reader.ts'
import { aDeliveryReport } from '../support/reports.ts'

const raw = Buffer.from('Subject: x\r\n\r\n')
const to = (address: string) => ({ from: '', to: address })

function aReader(timeoutMs: number) {
  const script = new URL('../support/stuck-thread.ts', import.meta.url)
  const reader = openInboundReader({ script, timeoutMs })
  onTestFinished(() => reader.close())
  return reader
}

test('a report is read in another thread', async () => {
  const reader = openInboundReader()
  onTestFinished(() => reader.close())
  expect(await reader.read(aDeliveryReport(), to('b+aaaa.bbbb@bounces.example'))).toMatchObject({
    kind: 'bounce',
    reports: [{ addresses: ['reader@reader.example'], diagnosis: { status: '5.1.1' } }],
  })
})

test('a mail whose reading never ends, or takes all memory, is lost alone: a new thread reads the next', async () => {
  const reader = aReader(2_000)
  for (const address of ['never@ends', 'takes@all']) {
    expect(await reader.read(raw, to(address)), address).toEqual({ kind: 'ignored', why: 'unreadable' })
    expect(await reader.read(raw, to('r@reader.example'))).toEqual({ kind: 'ignored', why: 'not_a_report' })
  }
})

test('whoever waits for a mail that is never read goes on meanwhile', async () => {
  const reader = aReader(3_600_000)
  let isRead = false
  const reading = reader.read(raw, to('never@ends')).finally(() => {
    isRead = true
  })
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(isRead).toBe(false)
  await reader.close()
  await expect(reading).rejects.toThrow('ended')
})

test('a thread that cannot read is no fault of the mail, which may come again', async () => {
  const reader = aReader(20_000)
  await expect(reader.read(raw, to('is@broken'))).rejects.toThrow('broken')
  expect(await reader.read(raw, to('r@reader.example'))).toEqual({ kind: 'ignored', why: 'not_a_report' })
})
