/** What U+0080 to U+009F stand for: bytes of windows-1252 that were taken for Latin-1. As HTML reads `&#146;`. */
const windows1252 = new TextDecoder('windows-1252')

/**
 * Without the characters that XML and PostgreSQL cannot hold: C0 controls but tab, LF and CR; U+FFFE, U+FFFF; lone
 * surrogates. C1 controls become the letters that they were meant as, or nothing.
 */
export const cleanText = (text: string): string =>
  text
    .replace(/[\u0080-\u009F]/g, (control) => windows1252.decode(Uint8Array.of(control.charCodeAt(0))))
    .replace(/[\u0080-\u009F]/g, '')
    // eslint-disable-next-line no-control-regex -- they are what is removed
    .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/g, '')
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '')

/** Runs of white space as one space. No-break spaces stay: French holds « and » ! ? : ; to their words with them. */
export const onOneLine = (text: string): string => text.replace(/[^\S\u00A0\u202F]+/g, ' ').trim()

/** `cleanText` on one line, without white space around it. */
export const cleanLine = (text: string): string => onOneLine(cleanText(text))

/** The digits of Arabic and Persian as ASCII has them. */
export const asciiDigits = (text: string): string =>
  text.replace(/[٠-٩۰-۹]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 15))
