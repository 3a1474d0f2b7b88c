/** How dates, numbers and lists are written. Making one takes up to a third of a millisecond, and a page has hundreds. */
const kept = new Map<string, unknown>()

const once =
  <Options, Format>(name: string, make: (locale: string | undefined, options?: Options) => Format) =>
  (locale: string | undefined, options?: Options): Format => {
    const key = `${name} ${locale} ${JSON.stringify(options)}`
    const format = (kept.get(key) as Format | undefined) ?? make(locale, options)
    kept.set(key, format)
    return format
  }

export const dateFormat = once('date', (locale, options?: Intl.DateTimeFormatOptions) => {
  const made = new Intl.DateTimeFormat(locale, options)
  // French counts the first day of a month, "1er mars"; CLDR writes it like the others.
  if (locale?.startsWith('fr')) {
    const format = made.format.bind(made)
    const value = (at?: Date | number) => format(at).replace(/(?<!\d)1(?= \p{L}{3})/u, '1er')
    Object.defineProperty(made, 'format', { value })
  }
  return made
})
export const numberFormat = once(
  'number',
  (locale, options?: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options),
)
export const listFormat = once(
  'list',
  (locale, options?: Intl.ListFormatOptions) => new Intl.ListFormat(locale, options),
)
export const pluralRules = once('plural', (locale) => new Intl.PluralRules(locale))

/** An hour as every page and mail shows it: to 24, where a locale of its own would say ten in the evening. */
export const clock = { timeStyle: 'short', hourCycle: 'h23' } as const
