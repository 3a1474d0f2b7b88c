/** A row as services take it: undefined where the table holds null. */
export type Filled<Row> = {
  [Column in keyof Row]: null extends Row[Column] ? Exclude<Row[Column], null> | undefined : Row[Column]
}

/** The same row as the table takes it. */
export type Emptied<Row> = {
  [Column in keyof Row]: undefined extends Row[Column] ? Exclude<Row[Column], undefined> | null : Row[Column]
}

export const fill = <Row extends object>(row: Row): Filled<Row> =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]: [string, unknown]) => [column, value ?? undefined]),
  ) as Filled<Row>

export const empty = <Row extends object>(row: Row): Emptied<Row> =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]: [string, unknown]) => [column, value ?? null]),
  ) as Emptied<Row>
