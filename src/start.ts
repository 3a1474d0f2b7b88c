import { readConfig, ConfigError, type Config } from './config.ts'
import { sentenceOf } from './cli/sentence-of.ts'
import { refuseIfRunning, refuseIfUsed, wishEmpty } from './embedded/installation.ts'
import { chooseFreePorts } from './embedded/ports.ts'
import { resetInstallation } from './embedded/reset.ts'
import { createSupervisor, type FirstSteps, type Supervisor } from './embedded/supervisor.ts'

/** `npm start` and, with --reset, `npm run reset`; with --empty without the sample newsroom. What a person must know is said in sentences, never as a stack. */

const say = (line: string) => process.stdout.write(`${line}\n`)
const warn = (line: string) => process.stderr.write(`${line}\n`)

try {
  const config = readConfig()
  const words = process.argv.slice(2)
  const unknown = words.filter((word) => word !== '--empty' && word !== '--reset')
  if (unknown.length > 0) throw new ConfigError([`${unknown.join(' ')}: only --empty can be asked for`])
  const isEmpty = words.includes('--empty')
  if (words.includes('--reset')) {
    await resetInstallation(config, say)
    if (isEmpty) {
      wishEmpty(config)
      say('It begins without the sample newsroom.')
    }
  } else {
    if (isEmpty) {
      refuseIfUsed(config)
      wishEmpty(config)
    }
    await start(config)
  }
} catch (error) {
  // What we refuse has a code, and what the machine and its servers say; a fault of ours needs its stack.
  if (!(error instanceof ConfigError) && typeof (error as { code?: unknown }).code !== 'string') throw error
  warn(sentenceOf(error))
  process.exit(1)
}

async function start(config: Config): Promise<void> {
  const startedAt = performance.now()
  if (config.databaseUrl === undefined) await refuseIfRunning(config.dataDir)
  const supervisor = createSupervisor(await chooseFreePorts(config), warn)
  const isEnding = endOnSignals(supervisor)
  try {
    const steps = await supervisor.start()
    say(`ready in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`)
    showFirstSteps(steps)
  } catch (error) {
    if (isEnding()) return
    await supervisor.stop()
    throw error
  }
}

function showFirstSteps({ read, subscribe, mailbox, desk }: FirstSteps): void {
  const steps = Object.entries({ Read: read, Subscribe: subscribe, Mailbox: mailbox, Desk: desk })
  const shown = steps.filter(([, url]) => url !== undefined)
  for (const [index, [name, url]] of shown.entries()) say(`  ${index + 1} ${name.padEnd(10)} ${url ?? ''}`)
  if (mailbox) say('\nNothing leaves this machine. Start over: npm run reset')
}

/** @returns whether it was told to end: the exit then follows by itself */
function endOnSignals(supervisor: Supervisor): () => boolean {
  let toldAt: number | undefined
  const end = () => {
    if (toldAt !== undefined) {
      // npm hands on the Ctrl-C that the terminal sends us anyway.
      if (performance.now() - toldAt > 1_000) supervisor.kill()
      return
    }
    toldAt = performance.now()
    say('\nStopping: finishing what is in flight. Ctrl-C again does not wait for it.')
    supervisor.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        warn(`The end was not clean (${String(error)}); the next start repairs what is left.`)
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  return () => toldAt !== undefined
}
