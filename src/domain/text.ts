/** Without the characters that XML and PostgreSQL cannot hold: C0 controls but tab, LF and CR; U+FFFE, U+FFFF; lone surrogates. */
export const cleanText = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex -- they are what is removed
    .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/g, '')
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '')

/** Runs of white space as one space. No-break spaces stay: French holds « and » ! ? : ; to their words with them. */
export const onOneLine = (text: string): string => text.replace(/[^\S\u00A0\u202F]+/g, ' ').trim()

/** `cleanText` on one line, without white space around it. */
export const cleanLine = (text: string): string => onOneLine(cleanText(text))
