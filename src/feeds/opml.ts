import { cleanText } from '../domain/text.ts'
import { element, textElement } from './xml.ts'

export interface OpmlGroup {
  title: string
  feeds: { title: string; rss: string; pageUrl: string }[]
}

/** OPML 2.0, for a reader that subscribes to everything at once. */
export function writeOpml(title: string, groups: OpmlGroup[]): string {
  const outlines = groups.map((group) =>
    element('outline', { text: group.title }, `\n${group.feeds.map(toOutline).join('\n')}\n`),
  )
  const head = element('head', {}, textElement('title', title))
  const body = element('body', {}, `\n${outlines.join('\n')}\n`)
  const opml = element('opml', { version: '2.0' }, `\n${head}\n${body}\n`)
  return cleanText(`<?xml version="1.0" encoding="utf-8"?>\n${opml}\n`)
}

const toOutline = ({ title, rss, pageUrl }: OpmlGroup['feeds'][number]): string =>
  element('outline', { type: 'rss', text: title, title, xmlUrl: rss, htmlUrl: pageUrl })
