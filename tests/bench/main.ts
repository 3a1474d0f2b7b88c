/** `npm run bench -- NAME [ARGUMENTS]` runs tests/bench/NAME.ts, which exports `run(arguments)`. */
const [name = '', ...rest] = process.argv.slice(2)
if (!/^[a-z-]+$/.test(name)) {
  console.error('usage: npm run bench -- mail [READERS]')
  process.exit(2)
}
const { run } = (await import(`./${name}.ts`)) as { run: (args: string[]) => Promise<void> }
await run(rest)
