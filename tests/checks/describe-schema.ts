import pg from 'pg'

/** A table with its columns, as the catalog has them. */
interface TableRow {
  name: string
  options: string[] | null
  columns: string[]
  constraints: string[]
  indexes: string[]
  triggers: string[]
}

// PostgreSQL 18 lists "not null" among the constraints; here it stays with its column, as on every version before.
const tablesQuery = `
  select
    c.relname as name,
    c.reloptions as options,
    array(
      select a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attidentity <> '' then ' generated always as identity' else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
        || case when a.attnotnull then ' not null' else '' end
      from pg_attribute a
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      order by a.attnum
    ) as columns,
    array(
      select 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid, true)
      from pg_constraint k
      where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'f', 'x')
      order by array_position(array['p', 'u', 'c', 'x', 'f'], k.contype::text), k.conname
    ) as constraints,
    array(
      select pg_get_indexdef(i.indexrelid)
      from pg_index i
      join pg_class ic on ic.oid = i.indexrelid
      where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = c.oid)
      order by ic.relname
    ) as indexes,
    array(
      select pg_get_triggerdef(t.oid, true)
      from pg_trigger t
      where t.tgrelid = c.oid and not t.tgisinternal
      order by t.tgname
    ) as triggers
  from pg_class c
  where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
  order by c.relname`

const functionsQuery = `
  select pg_get_functiondef(p.oid) as definition
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p')
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.proname, pg_get_function_identity_arguments(p.oid)`

const viewsQuery = `
  select format('create view %I as%s%s', relname, chr(10), pg_get_viewdef(oid, true)) as definition
  from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v' order by relname`

/** The schema of a migrated database as readable, deterministic SQL, written from the catalog: what a review compares. */
export async function describeSchema(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, application_name: 'depeche-describe' })
  await client.connect()
  try {
    const tables = await client.query<TableRow>(tablesQuery)
    const views = await client.query<{ definition: string }>(viewsQuery)
    const functions = await client.query<{ definition: string }>(functionsQuery)
    return [
      '-- Written by `npm run schema` from the catalog of a migrated database. Change the migrations, not this file.',
      ...tables.rows.map(describeTable),
      ...views.rows.map((row) => row.definition),
      ...functions.rows.map((row) => `${row.definition.trim()};`),
    ]
      .join('\n\n')
      .concat('\n')
  } finally {
    await client.end()
  }
}

function describeTable(table: TableRow): string {
  const options = table.options ? ` with (${table.options.join(', ')})` : ''
  const body = [...table.columns, ...table.constraints].map((line) => `  ${line}`).join(',\n')
  return [
    `create table ${table.name} (\n${body}\n)${options};`,
    ...[...table.indexes, ...table.triggers].map((line) => `${line.replaceAll(' public.', ' ')};`),
  ].join('\n')
}
