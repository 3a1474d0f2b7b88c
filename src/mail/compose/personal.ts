import { clock, dateFormat, listFormat, numberFormat } from '../../domain/formats.ts'
import { directionOf, type InterfaceLanguage } from '../../domain/language.ts'
import { plainTextOf } from '../../domain/articles/article-html.ts'
import { summaryOf } from '../../domain/articles/summary.ts'
import type { NoticeText } from '../../domain/notice.ts'
import type { PublicationIn } from '../../domain/publication.ts'
import { interfaceLanguageOf, translate, zoneName } from '../../locales.ts'
import { withStyles } from './digest-view.ts'
import { cleanTexts, singleLine } from './plain-text.ts'
import type { MailTemplates } from './templates.ts'

/** A mail to one person, by its kind, with what that kind says. */
export type PersonalContent =
  | {
      kind: 'activation' | 'reminder'
      newsletters: Offer[]
      /** Which is asked: people have several. */
      address: string
      activateUrl: string
      refuseUrl: string
      expiresAt: Date
    }
  | { kind: 'already-subscribed'; newsletters: string[]; preferencesUrl: string }
  | { kind: 'preferences-link'; preferencesUrl: string; expiresAt?: Date | undefined }
  | { kind: 'address-change'; activateUrl: string; expiresAt: Date }
  | { kind: 'address-changed' }
  | {
      kind: 'welcome'
      newsletter: string
      /** Safe. */
      wordsHtml: string
      pageUrl: string
      /** Undefined as long as there is none. */
      latestUrl: string | undefined
      preferencesUrl: string
      unsubscribeUrl: string
      replyTo: string | null
    }
  /** Without an archive nothing was ever sent. */
  | { kind: 'newsletter-ended'; newsletter: string; archiveUrl: string | undefined }
  | { kind: 'sign-in' | 'invitation'; signInUrl: string; expiresAt: Date }
  | {
      kind: 'response'
      article: string
      beginning: string
      confirmUrl: string
      refuseUrl: string
      expiresAt: Date
    }
  | ({ kind: 'desk-notice' } & NoticeText)

/** A newsletter to somebody who is to confirm it. */
export interface Offer {
  name: string
  description: string
  /** When its next digest is due, where that is known. */
  next: Date | undefined
}

export interface PersonalReader {
  /** BCP 47. */
  language: string
  /** Of dates and numbers. */
  locale: string
  publication: Omit<PublicationIn, 'postalAddress'> & { postalAddress: string }
}

export interface ComposedMail {
  subject: string
  html: string
  text: string
}

interface Letter {
  subject: string
  title: string
  /** Whose mail it is, to somebody who may not know. */
  about?: string
  paragraphs: string[]
  offers?: { name: string; text: string }[]
  /** In the place of the paragraphs where HTML is shown: an editor's words, made safe. */
  wordsHtml?: string
  action?: { label: string; url: string }
  notes: { text: string; label?: string; url?: string }[]
}

/**
 * Plain and short, in the reader's language, with one link and no picture. A stranger typed no more of it than the
 * address, or the first words of a response.
 */
export function composePersonal(
  content: PersonalContent,
  reader: PersonalReader,
  templates: MailTemplates,
): ComposedMail {
  const language = interfaceLanguageOf(reader.language)
  const letter = cleanTexts(writeLetter(content, { ...reader, language }))
  const template = templates.personal[directionOf(language)]
  const data = {
    ...letter,
    language,
    locale: reader.locale,
    preheader: preheaderOf(letter, language),
    publication: cleanTexts(reader.publication),
  }
  return { subject: singleLine(letter.subject), html: template.html(data), text: template.text(data) }
}

function preheaderOf(
  { wordsHtml, paragraphs: [lead = ''], offers = [] }: Letter,
  language: InterfaceLanguage,
) {
  if (wordsHtml) return summaryOf(wordsHtml)
  const names = offers.map(({ name }) => name)
  return `${lead} ${listNames(names, language)}`.trim()
}

type Writer = PersonalReader & { language: InterfaceLanguage }

function writeLetter(content: PersonalContent, reader: Writer): Letter {
  const { language } = reader
  const publication = reader.publication.name
  const say = (key: string, values: Record<string, string | number> = {}) =>
    translate(language, `mail.${key}`, { publication, ...values })
  const key = content.kind.replaceAll('-', '_')
  const ignore = { text: say('personal.ignore') }
  const letter = (values: Record<string, string | number> = {}) => ({
    subject: say(`${key}.subject`, values),
    title: say(`${key}.title`, values),
    paragraphs: [say(`${key}.lead`, values)],
  })
  const action = (url: string) => ({ label: say(`${key}.action`), url })
  const { zone } = reader.publication
  const until = (date: Date) => ({
    text: say('personal.expires', { date: formatDate(date, reader), zone: zoneName(zone, reader.locale) }),
  })

  switch (content.kind) {
    case 'activation':
    case 'reminder':
      return {
        ...letter({ address: isolate(content.address, language) }),
        about: isolate(reader.publication.description, language),
        offers: content.newsletters.map(({ name, description, next }) => ({
          name: singleLine(name),
          text: [
            isolate(description, language),
            next && say('activation.first', { date: formatDate(next, reader) }),
          ]
            .filter(Boolean)
            .join('\n'),
        })),
        action: { label: say('activation.action'), url: content.activateUrl },
        notes: [
          ...(content.kind === 'reminder' ? [{ text: say('reminder.last') }] : []),
          until(content.expiresAt),
          { text: say('activation.refuse'), label: say('activation.refuse_action'), url: content.refuseUrl },
        ],
      }
    case 'already-subscribed':
      return {
        ...letter({ newsletters: listNames(content.newsletters, language) }),
        action: action(content.preferencesUrl),
        notes: [ignore],
      }
    case 'preferences-link':
      return {
        ...letter(),
        action: action(content.preferencesUrl),
        notes: [...(content.expiresAt ? [until(content.expiresAt)] : []), ignore],
      }
    case 'address-changed':
      return { ...letter(), notes: [{ text: say(`${key}.contact`) }] }
    case 'newsletter-ended':
      return {
        ...letter({ newsletter: isolate(content.newsletter, language) }),
        ...(content.archiveUrl !== undefined && { action: action(content.archiveUrl) }),
        notes: [{ text: say(`${key}.note`) }],
      }
    case 'welcome': {
      const values = { newsletter: isolate(content.newsletter, language) }
      return {
        subject: say(`${key}.subject`, values),
        title: say(`${key}.title`),
        paragraphs: [plainTextOf(content.wordsHtml)],
        wordsHtml: withStyles(content.wordsHtml),
        action: content.latestUrl
          ? action(content.latestUrl)
          : { label: say(`${key}.page`), url: content.pageUrl },
        notes: [
          { text: say(`${key}.note`, values), label: say(`${key}.preferences`), url: content.preferencesUrl },
        ],
      }
    }
    case 'address-change':
    case 'sign-in':
    case 'invitation': {
      const url = 'signInUrl' in content ? content.signInUrl : content.activateUrl
      const unasked = content.kind === 'invitation' ? { text: say('invitation.ignore') } : ignore
      return { ...letter(), action: action(url), notes: [until(content.expiresAt), unasked] }
    }
    case 'response': {
      const about = letter({ article: isolate(content.article, language) })
      return {
        ...about,
        paragraphs: [...about.paragraphs, isolate(content.beginning, language)],
        action: action(content.confirmUrl),
        notes: [
          until(content.expiresAt),
          { text: say('response.refuse'), label: say('activation.refuse_action'), url: content.refuseUrl },
        ],
      }
    }
    case 'desk-notice': {
      const values = noticeValues(content.values, reader)
      const subject = say(`notices.${content.notice}.subject`, values)
      return {
        subject,
        title: subject,
        paragraphs: [say(`notices.${content.notice}.lead`, values)],
        action: { label: say('notices.action'), url: content.url },
        notes: [],
      }
    }
  }
}

const listNames = (names: string[], language: InterfaceLanguage): string =>
  listFormat(language, { type: 'conjunction' }).format(names.map((name) => isolate(name, language)))

/** Numbers as the reader writes them. `count` stays one, to choose the plural by; `n` shows it. */
function noticeValues(values: NoticeText['values'], { language, locale }: Writer): NoticeText['values'] {
  const numbers = numberFormat(locale)
  const shown: NoticeText['values'] = {}
  for (const [name, value] of Object.entries(values)) {
    if (name === 'count') shown[name] = value
    shown[name === 'count' ? 'n' : name] =
      typeof value === 'number' ? numbers.format(value) : isolate(value, language)
  }
  return shown
}

/** A French title, or `#12`, must not reorder the Arabic sentence around it; where both read one way it needs no marks. */
function isolate(text: string, language: InterfaceLanguage): string {
  const foreign =
    directionOf(language) === 'rtl'
      ? /(?!\p{Script=Arabic})\p{L}|^\P{L}+$/u
      : /[\p{Script=Arabic}\p{Script=Hebrew}]/u
  const line = singleLine(text)
  return foreign.test(line) ? `\u2068${line}\u2069` : line
}

const formatDate = (date: Date, { locale, publication: { zone } }: Writer): string =>
  dateFormat(locale, { dateStyle: 'full', ...clock, timeZone: zone }).format(date)
