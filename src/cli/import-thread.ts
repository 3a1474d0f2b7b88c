import { parentPort, workerData } from 'node:worker_threads'
import type { Context } from '../context.ts'
import type { ImportReport } from '../import/batch.ts'
import { importFeed } from '../import/feed/import-feed.ts'
import { importWordpress } from '../import/wordpress/import-wordpress.ts'
import { cliActor } from './command.ts'
import { sentenceOf } from './sentence-of.ts'
import { openContext } from './open-context.ts'
import type { Progress } from './output.ts'

export interface ImportJob {
  source: { kind: 'wxr'; files: string[] } | { kind: 'feed'; url: string }
  language: string | undefined
}

/** Some progress, then either the report or a sentence about what failed. */
export type ImportMessage =
  { progress: Parameters<Progress['show']> } | { report: ImportReport } | { failure: string }

const tell = (message: ImportMessage) => parentPort?.postMessage(message)

async function run({ services }: Context): Promise<ImportReport> {
  const { source, language } = workerData as ImportJob
  const { languages, zone } = await services.publication.get()
  const shared = { actor: cliActor, language, languages, zone }
  if (source.kind === 'feed') return importFeed(services, { ...shared, url: source.url })
  const followed = (await services.sources.list()).filter(
    ({ kind, home }) => kind === 'wordpress' && home !== '',
  )
  return importWordpress(services, {
    ...shared,
    followed: followed.map(({ home }) => home),
    files: source.files,
    onProgress: (...progress) => tell({ progress }),
  })
}

try {
  tell({ report: await openContext(run) })
} catch (error) {
  // An error loses its class on the way to another thread.
  tell({ failure: sentenceOf(error) })
}
