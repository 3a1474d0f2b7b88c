import { createHash } from 'node:crypto'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { testSecret } from './config.ts'
import { aFrozenDigest } from './frozen-digest.ts'
import { bareEnvironment } from './programs.ts'
import { aSendingDigest, query } from './sending-digest.ts'
import { spawnSmtpSink } from './smtp-sink.ts'
import { until } from './until.ts'

interface EngineOptions {
  databaseUrl: string
  /** The same without detours, for looking at it; a function where that changes. */
  plainUrl?: () => string
  env?: Record<string, string>
  readers?: number
}

/** Waits that a failover may take. */
const patienceMs = 90_000

export type EngineRoom = Awaited<ReturnType<typeof anEngineRoom>>

/**
 * The processes of production, `src/server.ts` and `workers/main.ts`, on whatever servers a test has; a digest that is
 * being sent, mail by mail, over a server that records who has it.
 */
export async function anEngineRoom(options: EngineOptions) {
  const { databaseUrl, plainUrl = () => databaseUrl, env = {}, readers = 600 } = options
  const folder = mkdtempSync('/var/tmp/depeche-engines-')
  const record = join(folder, 'record')
  const logFile = join(folder, 'log')
  const sink = await spawnSmtpSink(record)
  const children: ChildProcess[] = []
  onTestFinished(async () => {
    await Promise.all(children.map(kill))
    await sink.stop()
    if (process.env['KEEP_LOG']) process.stdout.write(`log: ${logFile}\n`)
    else rmSync(folder, { recursive: true, force: true })
  })
  const start = async (module: string, more: Record<string, string>) => {
    const child = fork(new URL(`../../${module}`, import.meta.url), [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...bareEnvironment,
        DATABASE_URL: databaseUrl,
        SECRET_KEY: testSecret,
        SMTP_URL: sink.url,
        // So that a failover falls into the middle of it, however fast the machine is.
        SMTP_RATE: '80/s',
        METRICS_PORT: '0',
        ...env,
        ...more,
      },
    })
    const log = createWriteStream(logFile, { flags: 'a' })
    child.stdout?.pipe(log)
    child.stderr?.pipe(log)
    children.push(child)
    await once(child, 'message')
    return child
  }
  /** Of the digest alone: others are mailed meanwhile. */
  const copies = () =>
    existsSync(record)
      ? (readFileSync(record, 'utf8').match(/(?<=\t)reader-\d+@reader\.example$/gm) ?? [])
      : []
  return {
    sink,
    query: <Row>(text: string, values: unknown[] = []) => query<Row>(plainUrl(), text, values),
    startWorker: () => start('workers/main.ts', {}),
    /** @returns the origin of a web process that is ready */
    async startWeb(): Promise<string> {
      const port = await findFreePort()
      await start('src/server.ts', { PORT: String(port), PUBLIC_URL: `http://localhost:${port}` })
      return `http://localhost:${port}`
    },
    /** As a release would. */
    async drain(child: ChildProcess): Promise<void> {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
    logLines: (): string[] =>
      existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(0, -1) : [],
    copies: () => copies().length,
    /** Puts a digest with something to say on its way. */
    async beginDigest(): Promise<number> {
      const { digestId } = await aSendingDigest(plainUrl(), { readers })
      const frozen = { ...aFrozenDigest(), digestId }
      await query(plainUrl(), 'update digests set frozen = $1, content_sha256 = $2 where id = $3', [
        JSON.stringify(frozen),
        createHash('sha256').update('x').digest(),
        digestId,
      ])
      await query(plainUrl(), 'update variants set article_ids = $1 where digest_id = $2', [[1, 2], digestId])
      return digestId
    },
    untilCopies: (n: number) => until(`${n} copies`, () => Promise.resolve(copies().length >= n), patienceMs),
    /** Nobody lost, nobody twice, and a log that a person can read. */
    async expectAllOnce(name: string, digestId: number): Promise<void> {
      await until(
        'the digest is completed',
        async () => {
          const [row] = await query<{ state: string }>(
            plainUrl(),
            'select state from digests where id = $1',
            [digestId],
          )
          return row?.state === 'completed'
        },
        patienceMs,
      )
      const had = copies()
      const accepted = await query(
        plainUrl(),
        `select p.address from deliveries d join subscribers p on p.id = d.subscriber_id
         where d.digest_id = $1 and d.state = 'accepted'`,
        [digestId],
      )
      const lines = this.logLines().length
      console.log(
        `${name.padEnd(44)} | readers ${readers} | mails ${had.length} | people ${new Set(had).size} | log lines ${lines}`,
      )
      expect(accepted).toHaveLength(readers)
      expect(new Set(had).size).toBe(readers)
      expect(had).toHaveLength(readers)
      expect(lines).toBeLessThan(2_000)
    },
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
