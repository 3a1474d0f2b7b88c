/** A row as the rest of the program has it: what it has no value for is undefined. */
export type WithoutNulls<Row> = {
  [Name in keyof Row]: Exclude<Row[Name], null> | (null extends Row[Name] ? undefined : never)
}

export const withoutNulls = <Row extends object>(row: Row): WithoutNulls<Row> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, (value as unknown) ?? undefined]),
  ) as WithoutNulls<Row>
