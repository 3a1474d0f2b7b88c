import { readConfig } from '../../src/config.ts'
import { createContext } from '../../src/context.ts'
import { createLogger } from '../../src/log.ts'
import { startWorking } from '../../workers/working.ts'
import { plainWriters } from '../support/plain-writers.ts'

// The worker process with short waits and messages of a few lines; everything else is as in workers/main.ts.
const config = readConfig()
const log = createLogger(config.logLevel, 'worker')
const context = createContext(
  { ...config, databaseUrl: config.databaseUrl ?? '', secretKeys: config.secretKeys ?? [] },
  {
    log,
    sendingTimes: {
      leaseSeconds: Number(process.env['LEASE_SECONDS']),
      backOffMinutes: [0.02, 0.05, 0.1],
      troubleSeconds: 1,
      relayBackOffMinutes: [0.05, 0.1],
    },
    writers: plainWriters,
  },
)
const working = await startWorking(context)
process.send?.({ ready: true })
process.on('SIGTERM', () => {
  void working
    .drain()
    .then(() => context.close())
    .then(() => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
