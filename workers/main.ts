import { openProcess } from '../src/process.ts'
import { startWorking } from './working.ts'

const { context, onDrain } = openProcess('worker')
const working = await startWorking(context)

context.log.info('working')
process.send?.({ ready: true })

onDrain(async () => {
  await working.drain()
  await context.close()
})
