import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createContext, type Context } from '../../src/context.ts'
import { cliActor } from '../../src/cli/command.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { createLogger } from '../../src/log.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { depeche } from '../support/cli.ts'
import { aConfig, testSecret } from '../support/config.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { peakMemoryOf, sayingPeakMemory } from '../support/peak-memory.ts'
import { watchProcesses } from './process-watch.ts'

const basis = 'moved from our old system'

interface Ground {
  url: string
  folder: string
  rows: number
  context: Context
}

/** Each places a file of so many rows; what it returns is told. */
const steps = {
  basis: (on: Ground) => byCommand(on, 'basis', ['--consent-basis', basis]),
  dry: (on: Ground) => byCommand(on, 'dry', ['--consent-basis', basis, '--dry-run']),
  pending: (on: Ground) => byCommand(on, 'pending', []),
  /** As other systems write them; a tenth is known, from `basis`, a hundredth no row. */
  mixed: async ({ folder, rows, context }: Ground) => {
    const { imports } = context.services
    const file = await writeCsv(folder, mixedLines(rows))
    const { id } = await imports.upload(createReadStream(file), {
      actor: cliActor,
      isDryRun: false,
      consentBasis: basis,
      columns: { Courrier: 'email', Inscription: 'consentDate' },
    })
    for (;;) {
      const { state, report } = await imports.get(id)
      if (state === 'failed') throw new Error('the import was given up')
      if (state === 'done') return `${report.active} new, ${report.known} known, ${report.invalid} broken`
      await sleep(500)
    }
  },
}
type Step = keyof typeof steps

/**
 * Rows a second of an import, from its upload on, and what it adds to the memory of an idle worker:
 * `npm run bench -- subscribers [ROWS] [STEP …]`.
 */
export async function run([rows = '1000000', ...names]: string[]): Promise<void> {
  const chosen = names.length > 0 ? (names as Step[]) : (Object.keys(steps) as Step[])
  const folder = mkdtempSync('/var/tmp/depeche-bench-')
  const { url } = await startPostgres({ dataDir: folder })
  try {
    await migrate(url)
    await migrateQueue({ kind: 'postgres', url })
    const context = createContext(aConfig(url), { log: createLogger('silent', 'web') })
    await aNewsletter(context.database, { slug: 'le-matin' })
    await measure({ url, folder, rows: Number(rows), context }, chosen)
    await context.close()
  } finally {
    await stopPostgres(folder, 'immediate')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Once it has started, and before its first round of upkeep. */
const idleMs = 10_000

async function measure(on: Ground, chosen: Step[]): Promise<void> {
  const worker = spawn(process.execPath, ['--max-semi-space-size=8', 'workers/main.ts'], {
    env: {
      ...process.env,
      DATABASE_URL: on.url,
      SECRET_KEY: testSecret,
      SMTP_URL: 'smtp://127.0.0.1:1',
      METRICS_PORT: '0',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const pids = { worker: worker.pid ?? 0 }
  const dataDir = on.folder
  const resting = watchProcesses(pids)
  await sleep(idleMs)
  const idle = resting.stop(1).rss.at(-1) ?? 0
  for (const name of chosen) {
    const watch = watchProcesses(pids, dataDir)
    const told = await steps[name](on)
    const { perSecond, peakRss, rss, cpu } = watch.stop(on.rows)
    console.log(
      `${on.rows} rows, ${name}: ${Math.round(perSecond)} rows/s; worker ${Math.round(peakRss)} MB at most, ` +
        `${Math.round(peakRss - idle)} above idle (${rss.map(Math.round).join(' ')}); CPU of a row, ms: ` +
        `worker ${cpu['worker']?.toFixed(3)}, database ${cpu['database']?.toFixed(3)}; ${told}`,
    )
  }
  worker.kill('SIGTERM')
  await once(worker, 'exit')
}

async function byCommand({ url, folder, rows }: Ground, name: string, flags: string[]): Promise<string> {
  const file = await writeCsv(folder, lines(name, rows))
  const { code, stderr } = await depeche(url, ['subscriber', 'import', file, ...flags], {
    NODE_OPTIONS: sayingPeakMemory,
  })
  if (code !== 0) throw new Error(stderr)
  return `the command ${Math.round(peakMemoryOf(stderr))} MB`
}

async function writeCsv(folder: string, content: Iterable<string>): Promise<string> {
  const file = join(folder, 'import.csv')
  await pipeline(Readable.from(content), createWriteStream(file))
  return file
}

function* lines(name: string, rows: number): Generator<string> {
  yield 'email,language,newsletters,consent_date\n'
  for (let n = 0; n < rows; n++) yield `reader-${n}@${name}.example,fr,le-matin,2024-05-17\n`
}

function* mixedLines(rows: number): Generator<string> {
  yield '"Nom complet";"Courrier";"Ville";"Langue";"Inscription";"Statut"\n'
  for (let n = 0; n < rows; n++) {
    const address = n % 100 === 7 ? 'sans arobase' : `reader-${n}@${n % 10 === 3 ? 'basis' : 'mixed'}.example`
    yield `"أمينة ""${n}"" بن يوسف";"${address}";"Port-Clair; quai ${n % 40}";"${n % 2 ? 'ar' : 'fr'}";"17/05/2024";"Abonné"\n`
  }
}
