import { z } from 'zod'
import { show } from '../../domain/fields.ts'
import { feedTexts, links } from '../../domain/publication.ts'
import {
  itemStates,
  lookReasons,
  sentenceOf,
  sourceFailures,
  sourceKinds,
  sourceQuestions,
  sourceStates,
} from '../../domain/sources/source.ts'
import { translate } from '../../locales.ts'
import type { SourceRun } from '../../store/sources/source-runs.ts'
import type { StoredItem } from '../../store/sources/source-items.ts'
import type { Discovery } from './discover.ts'
import type { SourceView } from './sources.ts'
import { conditionOf } from './sync.ts'

const time = z.iso.datetime().nullable()
const text = z.string().nullable()

/** A source as the API and the command line show it. */
export const sourceShape = z.object({
  id: z.int(),
  kind: z.enum(sourceKinds),
  url: z.string().describe('What is read: the root of a REST API, or a feed'),
  home: z.string(),
  name: z.string(),
  state: z.enum(sourceStates),
  sentence: z.string().describe('What the state means, and what to do'),
  failure: z.enum(sourceFailures).nullable().describe('Of the latest look'),
  question: z.enum(sourceQuestions).nullable().describe('What waits for an answer'),
  rings: z
    .boolean()
    .nullable()
    .describe('Whether the site was observed to ring; null until something arrives'),
  pingUrl: text.describe('What WordPress takes as an Update Service; null for viewers'),
  counts: z.object({
    here: z.int(),
    skipped: z.int(),
    held: z.int(),
    missing: z.int(),
    withdrawn: z.int(),
  }),
  language: text,
  since: time,
  links: z.enum(links).nullable(),
  feedText: z.enum(feedTexts).nullable(),
  foundAt: time.describe('When it last brought something'),
  lookedAt: time,
  nextAt: time.describe('When it is looked at again; null while it is paused'),
  pausedAt: time,
  createdAt: z.iso.datetime(),
})

const previewedShape = z.object({
  title: z.string(),
  link: text,
  publishedAt: time,
  language: text,
  sections: z.array(z.string()),
  reason: text.describe('Why it would be skipped'),
})

/** What is at an address, before it is followed. */
export const previewShape = z.object({
  kind: z.enum(sourceKinds),
  kinds: z.array(z.enum(sourceKinds)).describe('All ways to follow it'),
  url: z.string(),
  home: z.string(),
  name: z.string(),
  articles: z.array(previewedShape),
})

/** One thing that a source has. */
export const itemShape = z.object({
  id: z.string(),
  externalId: text.describe('Of its article'),
  title: z.string(),
  link: text,
  state: z.enum(itemStates),
  reason: text,
  publishedAt: time,
  missingSince: time,
  withdrawnAt: time,
  heldAt: time,
})

/** One look at a source. */
export const runShape = z.object({
  id: z.int(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  reason: z.enum(lookReasons),
  created: z.int(),
  updated: z.int(),
  skipped: z.int(),
  withdrawn: z.int(),
  restored: z.int(),
  failure: text,
})

/** Without the address that the site rings: whose it is to see adds it. */
export const toShape = (source: SourceView) =>
  show(sourceShape, {
    ...source,
    pingUrl: undefined,
    sentence: translate('en', `desk.sources.says.${sentenceOf(conditionOf(source))}`),
    nextAt: source.pausedAt ? null : source.nextAt,
  })

export const toPreview = ({ found, kinds, items }: Discovery) => ({
  ...show(previewShape.omit({ articles: true }), { ...found, kinds }),
  articles: items.map(({ article, ...item }) => {
    const { language, sections = [] } = article?.input ?? {}
    return show(previewedShape, { ...item, language, sections })
  }),
})

export const toItemShape = (item: StoredItem) => show(itemShape, { ...item, id: item.remoteId })

export const toRunShape = (run: SourceRun) => show(runShape, run)
