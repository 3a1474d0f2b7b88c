import { sql } from 'kysely'
import type { FeedText, Links } from '../../domain/publication.ts'

/** Where the links of an article lead: read with it, whoever shows it. */
export const links = sql<Links>`(select p.links from publication p)`

/** How much of it feeds show; null where `links` decides. */
export const feedText = sql<FeedText | null>`(select p.feed_text from publication p)`
