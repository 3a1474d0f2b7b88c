import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Cli } from 'kysely-codegen'
import { describeSchema } from './describe-schema.ts'
import { migrate } from '../../src/store/migrate.ts'
import { startPostgres, stopPostgres } from '../../src/embedded/postgres.ts'

/** `npm run schema` writes what the migrations make, as types and as SQL; `npm run check:schema` fails when they differ. */

const files = {
  types: new URL('../../src/store/schema.ts', import.meta.url),
  sql: new URL('../../docs/schema.sql', import.meta.url),
}

const generateTypes = (url: string): Promise<string> =>
  new Cli().generate({
    url,
    dialect: 'postgres',
    camelCase: true,
    dateParser: 'string',
    numericParser: 'number',
    typeMapping: { int8: 'number' },
    outFile: null,
    logLevel: 'silent',
  })

async function describe(): Promise<Record<keyof typeof files, string>> {
  const dataDir = mkdtempSync('/var/tmp/depeche-schema-')
  const postgres = await startPostgres({ dataDir, settings: { fsync: 'off' } })
  try {
    await migrate(postgres.url)
    return { types: await generateTypes(postgres.url), sql: await describeSchema(postgres.url) }
  } finally {
    await stopPostgres(dataDir, 'immediate')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const described = await describe()
const names = Object.keys(files) as (keyof typeof files)[]
if (process.argv.includes('--check')) {
  const stale = names.filter((name) => readFileSync(files[name], 'utf8') !== described[name])
  for (const name of stale) {
    process.stderr.write(`${files[name].pathname} does not match the migrations: run npm run schema\n`)
  }
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const name of names) writeFileSync(files[name], described[name])
}
