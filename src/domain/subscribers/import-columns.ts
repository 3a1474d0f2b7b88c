import { findStatusColumns, plainWord, type StatusColumn } from './import-status.ts'

const names = {
  email: `email|e-mail|mail|email address|e-mail address|mail address|subscriber email|user email|e-mail 1 value|member email
    adresse email|adresse e-mail|adresse mail|adresse de courriel|adresse courriel|courriel|adresse électronique|mél|adresse de messagerie
    البريد الإلكتروني|بريد إلكتروني|البريد|عنوان البريد الإلكتروني|عنوان البريد|الإيميل|إيميل|الايميل
    correo|correo electrónico|dirección de correo|dirección de correo electrónico|dirección de email|correo-e
    e-mail-adresse|email-adresse|mailadresse|mail-adresse|e-mailadresse|emailadresse`,
  language: 'language|langue|lang|locale|اللغة|لغة|idioma|sprache',
  newsletters: 'newsletters|newsletter|infolettres|infolettre|lettres|النشرات|النشرة|boletines|boletín',
  sections: 'sections|section|rubriques|rubrique|الأقسام|القسم|secciones|rubriken|ressorts',
  cadence: 'cadence',
  alerts: 'alerts|alertes|تنبيهات|alertas',
  pausedUntil: 'paused_until',
  consentDate: `consent_date|date de consentement|date du consentement|تاريخ الموافقة|fecha de consentimiento|einwilligungsdatum
    confirm_time|optin_time|opt-in date`,
  consentSource:
    'consent_source|source du consentement|origine du consentement|مصدر الموافقة|origen del consentimiento|einwilligungsquelle',
  consentBasis: 'consent_basis',
} as const

export type ImportField = keyof typeof names

const aliases = Object.entries(names).map(
  ([field, text]) => [field as ImportField, text.split(/[|\n]/).map(plainWord)] as const,
)

/** What a column may be said to be for. */
export const columnUses = [...(Object.keys(names) as ImportField[]), 'status', 'ignored'] as const
export type ColumnUse = (typeof columnUses)[number]
/** What a person says of columns, by their names in the file. */
export type ColumnMap = Readonly<Record<string, ColumnUse>>

/**
 * What each column of a header is for, as a person says, else by its name; of several for one thing the first that our
 * list names. The names of columns that nothing is made of are `ignored`.
 */
export function findColumns(header: readonly string[], said: ColumnMap = {}) {
  const saidOf = new Map(Object.entries(said))
  const plain = header.map((name) => (saidOf.has(name) ? '' : plainWord(name)))
  const fields: Partial<Record<ImportField, number>> = {}
  for (const [field, known] of aliases) {
    const chosen = header.findIndex((name) => saidOf.get(name) === field)
    const index = [chosen, ...known.map((name) => plain.indexOf(name))].find((at) => at >= 0)
    if (index !== undefined) fields[field] = index
  }
  const used = new Set(Object.values(fields))
  const isStatus = (name: string) => (saidOf.get(name) ?? 'status') === 'status'
  const found = findStatusColumns(header.map((name) => (isStatus(name) ? name : ''))).filter(
    ({ index }) => !used.has(index),
  )
  const status = header.flatMap((name, index): StatusColumn[] => {
    const known = found.find((one) => one.index === index)
    return known ? [known] : saidOf.get(name) === 'status' ? [{ index, name, kind: 'word' }] : []
  })
  const uses = header.map((_, index): ColumnUse => {
    if (status.some((one) => one.index === index)) return 'status'
    return (Object.keys(fields) as ImportField[]).find((field) => fields[field] === index) ?? 'ignored'
  })
  const ignored = header.filter((name, index) => uses[index] === 'ignored' && name !== '')
  return { fields, status, uses, ignored }
}
