/** `npm run bench -- NAME [ARGUMENTS]` runs tests/bench/NAME.ts, which exports `run(arguments)`. */
const benches = {
  answers: '[SAMPLES]',
  digests: '[READERS]',
  feeds: '',
  import: '[POSTS …]',
  mail: '[READERS]',
  sources: '[POSTS]',
  signups: '[RATE] [SECONDS] [READERS]',
  subscribers: '[ROWS …]',
}
const [name = '', ...rest] = process.argv.slice(2)
if (!Object.hasOwn(benches, name)) {
  const usages = Object.entries(benches).map(([bench, values]) =>
    `npm run bench -- ${bench} ${values}`.trimEnd(),
  )
  console.error(`usage: ${usages.join('\n       ')}`)
  process.exit(2)
}
const { run } = (await import(`./${name}.ts`)) as { run: (args: string[]) => Promise<void> }
try {
  await run(rest)
} catch (error) {
  const { code, path } = error as NodeJS.ErrnoException
  if (code !== 'ENOENT' || path === undefined) throw error
  console.error(`This bench needs ${path}, which is not here: bash tests/support/prepare-machine.sh mail`)
  process.exitCode = 1
}
