import { openProcess } from '../src/process.ts'
import type { AnyWorker } from '../src/queue/connection.ts'

const { context, onDrain } = openProcess('worker')
const workers: AnyWorker[] = []

context.log.info('working')
process.send?.({ ready: true })

onDrain(async () => {
  await Promise.all(workers.map((worker) => worker.close()))
  await context.close()
})
