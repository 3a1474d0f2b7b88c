import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/store/database.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/connection.ts'
import { migrate } from '../../src/store/migrate.ts'
import { depeche } from '../support/cli.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { testSecret } from '../support/config.ts'
import { watchProcesses } from './process-watch.ts'

/** Rows a second of an import, and what it adds to the memory of an idle worker: `npm run bench -- subscribers [ROWS …]`. */
export async function run(sizes: string[]): Promise<void> {
  for (const size of sizes.length > 0 ? sizes : ['100000', '1000000']) await measure(Number(size))
}

/** Once it has started, and before its first round of upkeep. */
const idleMs = 10_000

async function measure(readers: number): Promise<void> {
  const folder = mkdtempSync('/var/tmp/depeche-bench-')
  const postgres = await startPostgres({ dataDir: join(folder, 'data') })
  try {
    await migrate(postgres.url)
    await migrateQueue({ kind: 'postgres', url: postgres.url })
    const database = openDatabase({ url: postgres.url })
    await aNewsletter(database, { slug: 'le-matin' })
    await database.close()
    const basis = ['--consent-basis', 'moved from our old system']
    const files = {
      moved: await writeCsv(folder, 'moved', readers),
      asked: await writeCsv(folder, 'asked', readers),
    }
    const steps = [
      ['dry run', files.moved, ...basis, '--dry-run'],
      ['on a basis', files.moved, ...basis],
      ['again', files.moved, ...basis],
      ['pending', files.asked],
    ] as const
    const worker = spawn(process.execPath, ['--max-semi-space-size=16', 'workers/main.ts'], {
      env: {
        ...process.env,
        DATABASE_URL: postgres.url,
        SECRET_KEY: testSecret,
        SMTP_URL: 'smtp://127.0.0.1:1',
        METRICS_PORT: '0',
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const pids = { worker: worker.pid ?? 0 }
    const resting = watchProcesses(pids)
    await sleep(idleMs)
    const idle = resting.stop(1).rss.at(-1) ?? 0
    for (const [name, file, ...flags] of steps) {
      const watch = watchProcesses(pids)
      const { code, stderr } = await depeche(postgres.url, ['subscriber', 'import', file, ...flags])
      if (code !== 0) throw new Error(stderr)
      const { perSecond, peakRss } = watch.stop(readers)
      console.log(
        `${readers} rows, ${name}: ${Math.round(perSecond)} rows/s, ` +
          `worker at most ${Math.round(peakRss)} MB, ${Math.round(peakRss - idle)} above idle`,
      )
    }
    worker.kill('SIGTERM')
    await once(worker, 'exit')
  } finally {
    await stopPostgres(join(folder, 'data'), 'immediate')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function writeCsv(folder: string, name: string, readers: number): Promise<string> {
  const file = join(folder, `${name}.csv`)
  await pipeline(Readable.from(lines(name, readers)), createWriteStream(file))
  return file
}

function* lines(name: string, readers: number): Generator<string> {
  yield 'email,language,newsletters,consent_date\n'
  for (let n = 0; n < readers; n++) yield `reader-${n}@${name}.example,fr,le-matin,2024-05-17\n`
}
