import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnvironment, directUrlOf, type Config } from '../config.ts'
import type { ProcessConfig } from '../context.ts'
import { endingMs } from '../lifecycle.ts'
import { migrateQueue, queueBackendOf } from '../queue/bullmq.ts'
import { migrate } from '../store/migrate.ts'
import { startChild, type Child } from './child.ts'
import { prepareNewsroom } from './first-steps.ts'
import { openInstallation, type Installation } from './installation.ts'
import { followWarnings } from './log-files.ts'
import { findFreePort } from './ports.ts'
import { deleteState, writeState } from './state.ts'

const modules = {
  mail: new URL('./catcher/main.ts', import.meta.url),
  web: new URL('../server.ts', import.meta.url),
  worker: new URL('../../workers/main.ts', import.meta.url),
}

type ChildName = keyof typeof modules

/**
 * V8 lets the young generation of a busy sender grow to 96 MB of short-lived messages. A quarter of that costs no
 * throughput, and keeps the process between 200 and 250 MB.
 */
export const workerNodeOptions = ['--max-semi-space-size=8']

/** Where all processes are told to end at once, the database may hear it so much earlier. */
const endingTogetherMs = 250

export type Supervisor = ReturnType<typeof createSupervisor>
/** What a person opens first; no mailbox where mail goes to a real server. */
export type FirstSteps = Awaited<ReturnType<Supervisor['start']>>

/**
 * Keeps the processes of one installation running. What the configuration does not name is embedded: the database,
 * the mail catcher. A child that dies is started again, the database too.
 */
export function createSupervisor(config: Config, warn: (line: string) => void) {
  const children = new Map<ChildName, Child>()
  const followers: (() => void)[] = []
  let installation: Installation | undefined
  /** The database, while it is being started: an end waits for it, and then stops it. */
  let opening: Promise<unknown> | undefined
  let isStopping = false
  const isEnding = () => isStopping
  let hasState = false
  const logs = join(config.dataDir, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })

  const tellKeeper = () => {
    installation?.keepFor([...children.values()].flatMap((child) => child.pid() ?? []))
  }

  const startNamed = (name: ChildName, env: NodeJS.ProcessEnv, args: string[] = []) => {
    const logFile = join(logs, `${name}.log`)
    followers.push(
      followWarnings(logFile, (line) => {
        warn(`${name}: ${line}`)
      }),
    )
    const child = startChild({
      name,
      module: modules[name],
      args,
      nodeOptions: name === 'worker' ? workerNodeOptions : [],
      env,
      logFile,
      onStart: () => setImmediate(tellKeeper),
      onDeath: (reason) => {
        warn(`${name}: ended (${reason}); it starts again, its log is ${logFile}`)
      },
    })
    children.set(name, child)
    return child
  }

  const startCatcher = async (): Promise<string> => {
    const port = await findFreePort()
    const args = {
      '--directory': join(config.dataDir, 'mail'),
      '--smtp-port': String(port),
      '--http-port': String(config.mailCatcherPort),
      '--log-level': config.logLevel,
    }
    startNamed('mail', childEnvironment({}), Object.entries(args).flat())
    return `smtp://127.0.0.1:${port}`
  }

  /** Waits for the end of the database and starts it again, for as long as this process lives. */
  const watchDatabase = async (
    open: Installation,
    envOf: (url: string) => ReturnType<typeof environments>,
  ) => {
    let url = open.config.databaseUrl
    for (;;) {
      await open.lost()
      await sleep(endingTogetherMs)
      if (isEnding()) return
      warn('database: ended; it starts again')
      const recovery = open.recover()
      opening = recovery
      const next = await recovery
      if (next === url || isEnding()) continue
      url = next
      const env = envOf(url)
      await Promise.all(
        (['web', 'worker'] as const).map(async (name) => children.get(name)?.restart(env[name])),
      )
    }
  }

  return {
    async start() {
      const database = openDatabase()
      opening = database
      const complete = await database
      if (isStopping) throw new Error('told to end while starting')
      // Only now is it certain that no other supervisor writes there.
      const smtpUrl = config.smtpUrl ?? (await startCatcher())
      const mailboxUrl = config.smtpUrl ? undefined : `http://localhost:${config.mailCatcherPort}/`
      writeState(config.dataDir, { pid: process.pid, publicUrl: config.publicUrl, smtpUrl })
      hasState = true
      const processConfig = { ...complete, smtpUrl, mailboxUrl }
      const envOf = (url: string) => environments({ ...processConfig, databaseUrl: url })
      const env = envOf(processConfig.databaseUrl)
      startNamed('web', env.web)
      startNamed('worker', env.worker)
      tellKeeper()
      if (installation) {
        watchDatabase(installation, envOf).catch((error: unknown) => {
          warn(`database: cannot be started again (${String(error)}); stop with Ctrl-C and start again`)
        })
      }
      const desk = installation ? await prepareNewsroom(processConfig) : `${config.publicUrl}/desk`
      await Promise.all([...children.values()].map((child) => child.ready))
      return {
        read: `${config.publicUrl}/`,
        subscribe: `${config.publicUrl}/subscribe`,
        mailbox: mailboxUrl,
        desk,
      }
    },
    /** Ends web and worker, then the mail catcher, then the database: each when nobody needs it any more. */
    async stop(): Promise<void> {
      isStopping = true
      for (const child of children.values()) child.letGo()
      await opening?.catch(() => undefined)
      await Promise.all(
        (['web', 'worker'] as const).map(async (name) =>
          children.get(name)?.stop(endingMs[name] + endingMs.grace),
        ),
      )
      await children.get('mail')?.stop(endingMs.grace)
      await installation?.close()
      if (hasState) deleteState(config.dataDir)
      for (const unfollow of followers) unfollow()
    },
    /** Does not wait for web and worker. */
    kill(): void {
      for (const child of children.values()) child.kill()
    },
  }

  async function openDatabase(): Promise<ProcessConfig> {
    const { databaseUrl, secretKeys } = config
    if (databaseUrl !== undefined && secretKeys !== undefined) {
      const directUrl = directUrlOf({ ...config, databaseUrl })
      await migrate(directUrl)
      await migrateQueue(queueBackendOf(config, directUrl))
      return { ...config, databaseUrl, secretKeys }
    }
    installation = await openInstallation(config, 'supervisor')
    return installation.config
  }
}

const environments = (config: ProcessConfig) => {
  const shared = {
    DATABASE_URL: config.databaseUrl,
    SECRET_KEY: config.secretKeys.join(','),
    SMTP_URL: config.smtpUrl,
    PORT: String(config.port),
    PUBLIC_URL: config.publicUrl,
    MAILBOX_URL: config.mailboxUrl,
  }
  // Two processes on one machine cannot share a metrics port.
  const workerMetrics = config.metricsPort === 0 ? 0 : config.metricsPort + 1
  return {
    web: childEnvironment({
      ...shared,
      METRICS_PORT: String(config.metricsPort),
      // All ends together: no other process could take over.
      DRAIN_SECONDS: '0',
    }),
    worker: childEnvironment({ ...shared, METRICS_PORT: String(workerMetrics) }),
  }
}
