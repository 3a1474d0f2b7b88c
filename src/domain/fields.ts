import { z } from 'zod'

/** Of an object's fields those that hold something. */
export const withoutUndefined = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>
  }

/**
 * What a schema names of a thing: times as text, and null where there is nothing. Nothing is refused: a newer version may
 * have written a word that this one does not know.
 */
export function show<Shape extends z.ZodRawShape>(
  { shape }: z.ZodObject<Shape>,
  thing: Record<keyof Shape, unknown>,
): z.output<z.ZodObject<Shape>> {
  const named = Object.entries(shape).map(([key, schema]) => [key, shown(schema, thing[key])])
  return Object.fromEntries(named) as z.output<z.ZodObject<Shape>>
}

function shown(schema: unknown, value: unknown): unknown {
  if (schema instanceof z.ZodOptional) return value === undefined ? undefined : shown(schema.unwrap(), value)
  if (value instanceof Date) return value.toISOString()
  if (value == null) return null
  if (schema instanceof z.ZodNullable) return shown(schema.unwrap(), value)
  if (schema instanceof z.ZodArray) return (value as unknown[]).map((one) => shown(schema.element, one))
  return schema instanceof z.ZodObject ? show(schema, value as Record<string, unknown>) : value
}
