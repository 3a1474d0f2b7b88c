import { startSmtpSink } from '../support/smtp-sink-server.ts'

/** A mail to someone who signed up; `at` as of Date.now(), just before the sink accepts it. */
export interface Arrival {
  address: string
  at: number
}

/** A sink in a process of its own, so that a digest does not hold up the one that measures. Tells its port first. */
const sink = await startSmtpSink({
  isKeeping: false,
  onMail({ to: [address = ''] }) {
    if (address.startsWith('signup-')) process.send?.({ address, at: Date.now() } satisfies Arrival)
  },
})
process.on('disconnect', () => process.exit(0))
process.send?.(sink.port)
