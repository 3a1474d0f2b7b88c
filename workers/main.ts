import '../src/node-version.ts'
import './garbage-collection.ts'
import { openProcess } from '../src/process.ts'
import { startWorking } from './working.ts'

const { context, markReady, onDrain } = openProcess('worker')
const working = await startWorking(context)

onDrain(() => working.drain())

context.log.info('working')
markReady()
