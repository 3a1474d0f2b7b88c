import { directionOf } from '../../domain/language.ts'
import { tagLinks } from '../../domain/digests/link-tags.ts'
import type { FrozenDigest } from '../../domain/digests/frozen-digest.ts'
import { invalid } from '../../errors.ts'
import { isWebUrl, viewDigest, type Detail, type DigestView } from './digest-view.ts'
import { quotedPrintable } from '../message/encoding.ts'
import { gapMark } from '../message/message.ts'
import type { ComposedMail } from './personal.ts'
import { cleanTexts, singleLine } from './plain-text.ts'
import { escapeHtml, type MailTemplate, type MailTemplates } from './templates.ts'

/** A digest that can be set for any of its variants, at any time, with the same bytes. */
export interface DigestParts {
  frozen: FrozenDigest
  template: MailTemplate
  detail: Detail
  /** There is one to link to. */
  hasPdf: boolean
  /** Bytes of the larger of its HTML and its encoded HTML, with every article. */
  size: number
  /** Above 80,000 bytes the desk is warned; nothing above 100,000 is sent, because mailbox providers clip it. */
  isLarge: boolean
  /** Summaries were shortened or articles moved behind "more on the web" to fit. */
  isShortened: boolean
}

const largest = 100_000
const large = 80_000
/** For a recipient's own links, which stand in the place of short marks. */
const roomForLinks = 1_000

/** Tried in order until the digest fits. */
const details: Detail[] = [
  { summaryLength: 400, pictures: 100, articles: 100 },
  { summaryLength: 160, pictures: 100, articles: 100 },
  { summaryLength: 80, pictures: 100, articles: 100 },
  { summaryLength: 80, pictures: 4, articles: 100 },
  { summaryLength: 0, pictures: 1, articles: 100 },
  { summaryLength: 0, pictures: 1, articles: 30 },
  { summaryLength: 0, pictures: 1, articles: 15 },
  { summaryLength: 0, pictures: 1, articles: 5 },
]

/**
 * Sets the whole digest once and finds how much of it fits.
 * @throws DomainError `invalid` where a link is not a web URL or nothing fits
 */
export function composeDigest(
  frozenDigest: FrozenDigest,
  templates: MailTemplates,
  hasPdf = false,
): DigestParts {
  const frozen = cleanTexts(frozenDigest)
  for (const { url } of [...frozen.articles, ...frozen.mostRead]) {
    if (!isWebUrl(url)) {
      throw invalid('digest_link', 'An article has a link that is not a web address; correct it.')
    }
  }
  const name = frozen.cadence === 'alert' ? 'brief' : frozen.template
  const template = templates[name][directionOf(frozen.newsletter.language)]
  for (const [index, detail] of details.entries()) {
    const size = sizeOf(setDigest({ frozen, template, detail, hasPdf }))
    if (size < largest) {
      return { frozen, template, detail, hasPdf, size, isLarge: size >= large, isShortened: index > 0 }
    }
  }
  throw tooLarge()
}

/**
 * One variant as a mail, with marks where the recipient's own links go. Its articles may be the longest of all, so it
 * may be cut where the whole digest was not.
 * @throws DomainError `invalid` where nothing fits
 */
export function composeVariant(
  parts: DigestParts,
  articleIds: readonly number[] | undefined,
  options: { isTest?: boolean } = {},
): ComposedMail {
  for (const detail of details.slice(details.indexOf(parts.detail))) {
    const composed = setDigest({ ...parts, detail }, { articleIds, ...options })
    if (sizeOf(composed) < largest) return composed
  }
  throw tooLarge()
}

const sizeOf = ({ html }: ComposedMail): number =>
  Math.max(Buffer.byteLength(html), quotedPrintable(html).length) + roomForLinks

const tooLarge = () =>
  invalid(
    'digest_too_large',
    'The digest is larger than mailbox providers show; shorten its intro or take articles out.',
  )

/** The digest as everybody may read it on the web: every article, nobody's links; part of a page, and no letter. */
export function composeWebVersion(parts: DigestParts): { styles: string; html: string } {
  const detail = { summaryLength: 1_000, pictures: Infinity, articles: Infinity }
  const letter = parts.template.html(viewDigest(parts.frozen, { detail, links: webLinks(parts) }))
  const body = letter.slice(letter.indexOf('>', letter.indexOf('<body')) + 1, letter.lastIndexOf('</body>'))
  return {
    styles: [...letter.matchAll(/<style[^<]*<\/style>/g)].join(''),
    html: body.replace('aria-roledescription="email"', ''),
  }
}

const webLinks = ({ frozen, hasPdf }: Pick<DigestParts, 'frozen' | 'hasPdf'>) => {
  const { digestId, publication, newsletter } = frozen
  const web = `${publication.publicUrl}/digests/${digestId}`
  return {
    web,
    ...(hasPdf && { pdf: `${web}.pdf` }),
    subscribe: `${publication.publicUrl}/subscribe?newsletters=${encodeURIComponent(newsletter.slug)}`,
  }
}

function setDigest(
  { frozen, template, detail, hasPdf }: Pick<DigestParts, 'frozen' | 'template' | 'detail' | 'hasPdf'>,
  options: { articleIds?: readonly number[] | undefined; isTest?: boolean } = {},
): ComposedMail {
  const view = viewDigest(tagLinks(frozen), {
    ...options,
    detail,
    links: {
      ...webLinks({ frozen, hasPdf }),
      unsubscribe: gapMark('unsubscribeUrl'),
      preferences: gapMark('preferencesUrl'),
    },
  })
  const composed = { subject: view.subject, html: template.html(view), text: template.text(view) }
  assertComplete(view, composed)
  return composed
}

/** A template that drops a story says nothing about it; so every headline and link is looked for, in both parts. */
function assertComplete(view: DigestView, { html, text }: ComposedMail): void {
  const shown = [...view.blocks.flatMap((block) => block.articles), ...view.mostRead]
  const missing = shown.find(
    ({ title, url, shortUrl }) =>
      !html.includes(escapeHtml(title)) ||
      !html.includes(`href="${escapeHtml(url)}"`) ||
      !text.includes(title) ||
      !text.includes(shortUrl),
  )
  if (missing)
    throw new Error(`a mail template leaves out an article: ${singleLine(missing.title).slice(0, 80)}`)
  for (const gap of [gapMark('unsubscribeUrl'), gapMark('preferencesUrl')]) {
    if (!html.includes(gap) || !text.includes(gap))
      throw new Error('a mail template leaves out a personal link')
  }
}
