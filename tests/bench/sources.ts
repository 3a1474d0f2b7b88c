import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createContext } from '../../src/context.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { createLogger } from '../../src/log.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { aConfig } from '../support/config.ts'
import { startWordpress, type FakeWordpress } from '../support/wordpress.ts'
import { percentile } from './digests.ts'
import { watchProcesses } from './process-watch.ts'
import { startSite } from './signups.ts'

const rings = 200
const timeoutMs = 30 * 60_000
const desk = { kind: 'cli', role: 'admin' } as const

/**
 * A WordPress is followed by a worker process from its first post on, and then rings at a web process:
 * `npm run bench -- sources [POSTS]`.
 */
export async function run([posts = '10000']: string[]): Promise<void> {
  const dataDir = mkdtempSync('/var/tmp/depeche-bench-')
  const children: ChildProcess[] = []
  const postgres = await startPostgres({ dataDir })
  const { site: wordpress, close } = await startWordpress()
  try {
    await migrate(postgres.url)
    await migrateQueue({ kind: 'postgres', url: postgres.url })
    fill(wordpress, Number(posts))
    const site = await startSite(postgres.url, children, { SOURCE_HOSTS: '127.0.0.1' })
    const config = aConfig(postgres.url, { SOURCE_HOSTS: '127.0.0.1' })
    const context = createContext(config, { log: createLogger('warn', 'web') })
    const { worker = 0, web = 0 } = site.pids
    const watch = watchProcesses({ worker, web }, dataDir)
    const { url, seconds } = await catchUp(context.services, wordpress)
    report(watch.stop(Number(posts)), { posts: Number(posts), seconds, wordpress })
    await ring(new URL(new URL(url).pathname, site.subscribeUrl).href, wordpress)
    await context.close()
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await close()
    await stopPostgres(dataDir, 'immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** An hour between one and the next, some kilobytes each. */
function fill(wordpress: FakeWordpress, posts: number): void {
  for (let n = 1; n <= posts; n += 1) {
    wordpress.add({
      date: new Date(+wordpress.now - (posts - n) * 3_600_000),
      html: `<p>Le bac de ${n} heures est parti du quai des Voiles avec les passagers du matin.</p>`.repeat(
        40,
      ),
    })
  }
}

async function catchUp(
  { publication, sources }: ReturnType<typeof createContext>['services'],
  wordpress: FakeWordpress,
) {
  await publication.set({ name: 'Le Rivage', languages: ['fr'], postalAddress: '1, quai des Voiles' }, desk)
  const startedAt = performance.now()
  const { id, pingUrl } = await sources.add({ address: wordpress.home }, desk)
  const deadline = startedAt + timeoutMs
  while ((await sources.get(id)).state !== 'following') {
    if (performance.now() > deadline) throw new Error('the source does not catch up')
    await sleep(500)
  }
  const { counts } = await sources.get(id)
  if (counts.here !== wordpress.posts.size) throw new Error(`${counts.here} articles are here`)
  return { url: pingUrl, seconds: (performance.now() - startedAt) / 1_000 }
}

function report(
  { cpu, peakRss, rss }: ReturnType<ReturnType<typeof watchProcesses>['stop']>,
  { posts, seconds, wordpress }: { posts: number; seconds: number; wordpress: FakeWordpress },
): void {
  const lists = wordpress.requests.filter((path) => !path.includes('_embed')).length
  const spent = Object.entries(cpu).map(([who, ms]) => `${who} ${ms.toFixed(1)}`)
  console.log(
    `${posts} posts in ${seconds.toFixed(0)} s, ${(posts / seconds).toFixed(1)} a second; ` +
      `${wordpress.requests.length} requests, ${lists} of them without texts\n` +
      `memory of the worker, MB: peak ${peakRss.toFixed(0)}; on the way ${rss.map((mb) => mb.toFixed(0)).join(', ')}\n` +
      `CPU of a post, ms: ${spent.join(', ')}`,
  )
}

/** Beside what answers without any work, by turns: what both take is the machine's. */
async function ring(url: string, wordpress: FakeWordpress): Promise<void> {
  const asks = {
    ring: () => wordpress.ping(url),
    'GET /healthz': () => fetch(new URL('/healthz', url)),
  }
  const took = Object.keys(asks).map((name) => [name, [] as number[]] as const)
  for (let n = 0; n < rings; n += 1) {
    for (const [name, times] of took) {
      const startedAt = performance.now()
      const answer = await asks[name as keyof typeof asks]()
      await answer.text()
      times.push(performance.now() - startedAt)
      if (answer.status !== 200) throw new Error(`${name} is answered ${answer.status}`)
    }
  }
  for (const [name, times] of took) {
    const [p50, p99, most] = [0.5, 0.99, 1].map((p) => percentile(times, p))
    console.log(`${rings} × ${name}, ms: p50 ${p50}, p99 ${p99}, max ${most}`)
  }
}
