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
  const named = Object.entries(shape).map(([key, schema]) => {
    const value = thing[key]
    if (schema instanceof z.ZodObject) return [key, show(schema, { ...(value as object) })]
    return [key, value instanceof Date ? value.toISOString() : (value ?? null)]
  })
  return Object.fromEntries(named) as z.output<z.ZodObject<Shape>>
}
