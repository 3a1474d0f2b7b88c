import { openSync, writeSync } from 'node:fs'
import { startSmtpSink, type SinkFault } from './smtp-sink-server.ts'

const [recordPath] = process.argv.slice(2)
if (recordPath === undefined) throw new Error('usage: smtp-sink-process.ts RECORD')

const record = openSync(recordPath, 'a')
const times = openSync(`${recordPath}.times`, 'a')
const sink = await startSmtpSink({
  isKeeping: false,
  // Written before the reply: a copy that somebody has is on disk whatever dies next.
  onMail: (mail) => {
    writeSync(record, `${mail.messageId}\t${mail.to.join(',')}\n`)
    writeSync(times, `${Date.now()}\n`)
  },
})
process.on('message', (faults: SinkFault[]) => {
  sink.faults.splice(0, Infinity, ...faults)
})
process.on('disconnect', () => process.exit(0))
process.send?.(sink.port)
