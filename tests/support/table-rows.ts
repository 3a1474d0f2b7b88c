import { rowsOf } from './query.ts'
import type { Web } from './web.ts'

/** Every row of every table as text: equal before and after means that nothing was changed. */
export async function everyRow(web: Web): Promise<Record<string, string[]>> {
  const tables = await rowsOf<{ name: string }>(
    web,
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  const rows: Record<string, string[]> = {}
  for (const { name } of tables) {
    const found = await rowsOf<{ row: string }>(web, `select t::text as row from "${name}" t order by 1`)
    rows[name] = found.map(({ row }) => row)
  }
  return rows
}
