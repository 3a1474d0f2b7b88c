import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'
import { migrateQueue } from '../../src/queue/bullmq.ts'
import { migrate } from '../../src/store/migrate.ts'
import { depeche } from '../support/cli.ts'
import { peakMemoryOf, sayingPeakMemory } from '../support/peak-memory.ts'
import { writeWxr } from '../support/wxr.ts'

/** Posts a second and memory of `depeche import wxr`, first and again: `npm run bench -- import [POSTS …]`. */
export async function run(sizes: string[]): Promise<void> {
  for (const size of sizes.length > 0 ? sizes : ['20000', '100000']) await measure(Number(size))
}

async function measure(posts: number): Promise<void> {
  const folder = mkdtempSync('/var/tmp/depeche-bench-')
  const file = join(folder, 'export.xml')
  const postgres = await startPostgres({ dataDir: join(folder, 'data') })
  try {
    await migrate(postgres.url)
    await migrateQueue({ kind: 'postgres', url: postgres.url })
    await writeWxr(file, posts)
    const megabytes = Math.round(statSync(file).size / 1_000_000)
    for (const time of ['first', 'again']) {
      const startedAt = performance.now()
      const { code, stderr } = await depeche(postgres.url, ['import', 'wxr', file], {
        NODE_OPTIONS: sayingPeakMemory,
      })
      if (code !== 0) throw new Error(stderr)
      const seconds = (performance.now() - startedAt) / 1_000
      console.log(
        `${posts} posts, ${megabytes} MB, ${time}: ${Math.round(posts / seconds)} posts/s in ${seconds.toFixed(1)} s, ` +
          `peak ${Math.round(peakMemoryOf(stderr))} MB`,
      )
    }
  } finally {
    await stopPostgres(join(folder, 'data'), 'immediate')
    rmSync(folder, { recursive: true, force: true })
  }
}
