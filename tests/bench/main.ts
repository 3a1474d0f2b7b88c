import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** `npm run bench -- NAME [ARGUMENTS]` runs tests/bench/NAME.ts, which exports `run(arguments)`. */
const benches = {
  answers: '[SAMPLES]',
  digests: '[READERS]',
  distance: '[READERS]',
  feeds: '',
  import: '[POSTS …]',
  mail: '[READERS]',
  sources: '[POSTS]',
  signups: '[RATE] [SECONDS] [READERS]',
  subscribers: '[ROWS] [STEP …]',
  volume: '[SUBSCRIBERS] [DELIVERIES] [ARTICLES] [FOLDER]',
}
const [name = '', ...rest] = process.argv.slice(2)
if (!Object.hasOwn(benches, name)) {
  const usages = Object.entries(benches).map(([bench, values]) =>
    `npm run bench -- ${bench} ${values}`.trimEnd(),
  )
  console.error(`usage: ${usages.join('\n       ')}`)
  process.exit(2)
}
/** Programs that a bench starts, and the Debian packages that have them. */
const needs: Record<string, Record<string, string>> = {
  distance: { 'smtp-source': 'postfix' },
  feeds: { wrk: 'wrk', nginx: 'nginx' },
  mail: { 'smtp-source': 'postfix', 'smtp-sink': 'postfix' },
}
const folders = (process.env['PATH'] ?? '').split(delimiter)
const missing = Object.entries(needs[name] ?? {}).filter(
  ([program]) => !folders.some((folder) => existsSync(join(folder, program))),
)
if (missing.length > 0) {
  const packages = new Set(missing.map(([, debian]) => debian))
  const programs = missing.map(([program]) => program).join(' and ')
  console.error(
    `This bench needs ${programs}. Install with: apt-get install --no-install-recommends ${[...packages].join(' ')}`,
  )
  process.exit(1)
}
const { run } = (await import(`./${name}.ts`)) as { run: (args: string[]) => Promise<void> }
await run(rest)
