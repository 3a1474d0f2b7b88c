import { createContext, type ProcessConfig } from '../context.ts'
import { createLogger } from '../log.ts'
import { isEmptyWished } from './installation.ts'
import { seedSampleNewsroom } from './sample/seed.ts'

/** Whoever sits at the terminal of `npm start` owns this installation. */
const owner = 'desk@newsroom.example'

/**
 * Fills an empty embedded database with the sample newsroom, unless nothing was wished for, and makes a sign-in link for the desk.
 * @returns the link: it works once
 */
export async function prepareNewsroom(config: ProcessConfig): Promise<string> {
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'start')
  const context = createContext(config, { log, maxConnections: 4 })
  const { editors, signIn } = context.services
  try {
    const known = await editors.list()
    // Its first account comes after the sample: where there is one, whatever is missing was removed.
    if (known.length === 0 && !isEmptyWished(config)) await seedSampleNewsroom(context)
    const admin =
      known.find(({ role }) => role === 'admin') ??
      (await editors.add({ email: owner, role: 'admin' }, { kind: 'cli', role: 'admin' }))
    return await signIn.createLink(admin.email)
  } finally {
    await context.close()
  }
}
